// Guards the routes of a Fastify server. It must never let a route run before it is permitted, nor start a server on which a route
// says nothing while all are to be guarded.
import type { FastifyInstance, FastifyReply, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify';
import type { AuthorizeAnswer } from './api.ts';
import { judge, type GuardOptions, type RouteRule } from './guard.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route: those whom Privity permits, or, said outright, everybody. */
    privity?: RouteRule<FastifyRequest> | 'open';
  }
  interface FastifyRequest {
    /** Why the request was let on; null on open routes. */
    permitted: AuthorizeAnswer | null;
  }
}

export interface FastifyGuardOptions extends GuardOptions<FastifyRequest> {
  /** A route without `config.privity` stops the start. True unless told: what was forgotten must not be open. */
  readonly everyRoute?: boolean;
}

/**
 * `await app.register(privityGuard, { client })`, before the routes. A guarded route is
 * `app.get(path, { config: { privity: { action, resource } } }, handler)`. Asked after the route's other `preHandler`s and after
 * validation, right before the handler.
 */
export function privityGuard(app: FastifyInstance, options: FastifyGuardOptions, done: (error?: Error) => void): void {
  const { everyRoute = true } = options;
  app.decorateRequest('permitted', null);
  app.addHook('onRoute', (route) => {
    const rule = route.config?.privity;
    if (rule === 'open') return;
    if (rule === undefined) {
      if (!everyRoute) return;
      throw new Error(
        `${String(route.method)} ${route.url} does not say who may use it: add \`config: { privity: { action, resource } }\`, ` +
          "or `config: { privity: 'open' }` where everybody may",
      );
    }
    const others = route.preHandler === undefined ? [] : [route.preHandler].flat();
    route.preHandler = [...others, guardOf(options, rule)];
  });
  done();
}

// Hooks are for the routes of whoever registers the plugin, not for its own (what the package fastify-plugin does).
Object.assign(privityGuard, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@privity/client',
  [Symbol.for('plugin-meta')]: { name: '@privity/client', fastify: '>=5' },
});

function guardOf(options: GuardOptions<FastifyRequest>, rule: RouteRule<FastifyRequest>): preHandlerAsyncHookHandler {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const outcome = await judge(options, rule, request);
    if (outcome.status !== null) return reply.code(outcome.status).headers(outcome.headers).send(outcome.body);
    request.permitted = outcome.answer;
    return undefined;
  };
}
