# syntax=docker/dockerfile:1
# The service image: what `privity serve` and `privity migrate` need, and nothing for development.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Neither development tools nor the embedded PostgreSQL belong into production; no package may run an install script.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM node:24-bookworm-slim
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
# `node` (uid 1000) comes with the image; nothing under /app is writable for it.
USER node
EXPOSE 8080
# /livez checks no dependency; the orchestrator's readiness probe asks /readyz.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/privity.mjs"]
CMD ["serve"]
