// Guards the routes of an Express application, or of anything else whose middleware takes Node's request and response. It must never
// call the next handler before the request is permitted.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthorizeAnswer } from './api.ts';
import { judge, type GuardOptions, type RouteRule } from './guard.ts';

export type Middleware<Request> = (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void;

const permissions = new WeakMap<IncomingMessage, AuthorizeAnswer>();

/** Why a guarded request was let on; null for one that was not guarded. */
export function permittedBy(request: IncomingMessage): AuthorizeAnswer | null {
  return permissions.get(request) ?? null;
}

/** `const guard = privityGuard({ client })`, then `app.get(path, guard({ action, resource }), handler)`. */
export function privityGuard<Base extends IncomingMessage = IncomingMessage>(
  options: GuardOptions<Base>,
): <Request extends Base = Base>(rule: RouteRule<Request>) => Middleware<Request> {
  return <Request extends Base = Base>(rule: RouteRule<Request>): Middleware<Request> =>
    (request, response, next) => {
      judge<Request>(options, rule, request)
        .then((outcome) => {
          if (outcome.status === null) {
            permissions.set(request, outcome.answer);
            next();
            return;
          }
          response.writeHead(outcome.status, outcome.headers).end(request.method === 'HEAD' ? undefined : outcome.body);
        })
        .catch(next);
    };
}
