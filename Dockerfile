# syntax=docker/dockerfile:1
# The service image: what `privity serve`, `privity migrate` and the other verbs need to run, and nothing for development.
# Built from a clean checkout: docker build --build-arg COMMIT=$(git rev-parse HEAD) --tag privity .

# The current long-term support line. Whoever builds for production adds the digest of the base that was checked
# (--build-arg NODE_IMAGE=node:26.13.0-trixie-slim@sha256:…).
ARG NODE_IMAGE=node:26.13.0-trixie-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Neither development tools nor the embedded PostgreSQL belong into production; no package may run an install script.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="Privity" \
      org.opencontainers.image.description="Policy decision point for law firms: decides, explains and records every request before it answers" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${COMMIT}"
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    POLICIES_DIR=/policies
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json openapi.yaml ./
COPY bin ./bin
COPY migrations ./migrations
COPY schemas ./schemas
COPY src ./src
# Where volumes are mounted: /var/lib/privity/checkpoints for CHECKPOINT_DIR or CHECKPOINT_FILE, /var/lib/privity/spool for SPOOL_DIR. A new
# volume of Docker takes over the account. Spool mode needs fsync, and so a start without --permission (deploy/compose/spool.yaml).
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/privity /var/lib/privity/checkpoints /var/lib/privity/spool
# A number, so that an orchestrator can see that it is not root. Nothing else in the image belongs to it, and the root file system may be
# read-only.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# /livez checks no dependency; the orchestrator's readiness probe asks /readyz.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "/app/bin/privity.mjs", "health"]
# Node itself is process 1 and handles SIGTERM and SIGINT. Its permission model takes away what the service never does: writing files
# elsewhere and starting programs. Small semi-spaces keep the pauses of a reload short.
ENTRYPOINT ["node", "--max-semi-space-size=4", "--permission", "--allow-fs-read=*", "--allow-fs-write=/var/lib/privity/*", "--allow-net", "--allow-worker", "--disable-warning=PERM0006", "--disable-warning=ExperimentalWarning", "/app/bin/privity.mjs"]
CMD ["serve"]
