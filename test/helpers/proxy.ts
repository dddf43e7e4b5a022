// A TCP proxy that stands before PostgreSQL and injures connections at exact places of its protocol. It must never change a byte of what it lets through.
import net from 'node:net';
import type { TearsDown } from './postgres.ts';

/**
 * What happens to the next statement that is watched for:
 * - `cut_request`: part of it reaches the server;
 * - `cut_before_sync`: it runs, but the server is never told to commit;
 * - `cut_after_sync`: the connection ends while it commits;
 * - `cut_answer`: it is committed, and the answer never arrives;
 * - `cut_ready`: it is committed, and all of the answer arrives but the message that says so;
 * - `swallow_answer`: it is committed, nothing arrives, and the connection seems to live on;
 * - `swallow_sync`: it runs and holds its locks, and the connection seems to live on, to both sides.
 */
export type Fault =
  'cut_request' | 'cut_before_sync' | 'cut_after_sync' | 'cut_answer' | 'cut_ready' | 'swallow_answer' | 'swallow_sync';

export const FAULTS = [
  'cut_request',
  'cut_before_sync',
  'cut_after_sync',
  'cut_answer',
  'cut_ready',
  'swallow_answer',
  'swallow_sync',
] as const satisfies readonly Fault[];

/**
 * What happens to the next connection on its way to its first watched statement, at the named message of the client's: it ends, or
 * (`swallow_`) seems to live on while nothing passes any more.
 */
export type WayFault =
  | 'cut_startup'
  | 'cut_auth'
  | 'cut_setup'
  | 'cut_prepare'
  | 'cut_execute'
  | 'swallow_startup'
  | 'swallow_auth'
  | 'swallow_setup'
  | 'swallow_prepare';

export const WAY_FAULTS = [
  'cut_startup',
  'cut_auth',
  'cut_setup',
  'cut_prepare',
  'cut_execute',
  'swallow_startup',
  'swallow_auth',
  'swallow_setup',
  'swallow_prepare',
] as const satisfies readonly WayFault[];

export interface Proxy {
  /** The same database by way of the proxy. */
  url(url: string): string;
  /** Where new connections go from now on. */
  aim(url: string): void;
  /** Injures the next watched statement, or the way to it, whatever connection it comes over. Resolves once that has happened. */
  injureNext(fault: Fault | WayFault): Promise<void>;
  /** Everything takes that much longer from now on, in either direction. */
  delay(ms: number): void;
  /** Ends every connection, and with `refuse` also every new one until `restore`. */
  cut(refuse?: boolean): void;
  /** Nothing passes any more, in either direction, and nobody is told. */
  freeze(): void;
  restore(): void;
  connections(): number;
}

interface Injury {
  readonly fault: Fault | WayFault;
  readonly done: () => void;
}

interface Relay {
  cut(): void;
}

interface Control {
  /** The injury that is due at this place, once. */
  takeInjury(place: Place): Injury | null;
  isFrozen(): boolean;
  delayMs(): number;
  placeOf(message: Buffer, isFirst: boolean): Place | null;
  onEnd(relay: Relay): void;
}

/** What a client's message is about. */
type Place = 'startup' | 'auth' | 'setup' | 'prepare' | 'bind';

const PARSE = 0x50; // P
const BIND = 0x42; // B
const EXECUTE = 0x45; // E
const QUERY = 0x51; // Q
const PASSWORD = 0x70; // p
const SYNC = 0x53; // S
const READY = 0x5a; // Z

/** `watched` is the beginning of the names of the prepared statements that are watched for. */
export async function startProxy(t: TearsDown, targetUrl: string, watched: string): Promise<Proxy> {
  let target = new URL(targetUrl);
  let delayMs = 0;
  let injury: Injury | null = null;
  let isFrozen = false;
  let isRefusing = false;
  const relays = new Set<Relay>();

  const control: Control = {
    takeInjury: (place) => {
      if (injury === null || placeOfFault(injury.fault) !== place) return null;
      const taken = injury;
      injury = null;
      return taken;
    },
    isFrozen: () => isFrozen,
    delayMs: () => delayMs,
    placeOf: (message, isFirst) => {
      if (isFirst) return 'startup';
      const isNamed = (from: number): boolean => message.toString('latin1', from, from + watched.length) === watched;
      switch (message[0]) {
        case PASSWORD:
          return 'auth';
        case QUERY:
          return 'setup';
        case PARSE:
          return isNamed(5) ? 'prepare' : null;
        case BIND:
          // After type, length and an empty portal name comes the name of the statement.
          return isNamed(6) ? 'bind' : null;
        default:
          return null;
      }
    },
    onEnd: (relay) => relays.delete(relay),
  };
  const listener = net.createServer((client) => {
    if (isRefusing) client.destroy();
    else relays.add(startRelay(client, net.connect(Number(target.port), target.hostname), control));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const cutAll = (): void => {
    for (const relay of relays) relay.cut();
  };
  t.teardown(async () => {
    cutAll();
    await new Promise((resolve) => listener.close(resolve));
  });

  return {
    url: (url) => {
      const changed = new URL(url);
      changed.host = `127.0.0.1:${port}`;
      return changed.href;
    },
    aim: (url) => void (target = new URL(url)),
    delay: (ms) => void (delayMs = ms),
    injureNext: (fault) => new Promise((done) => (injury = { fault, done })),
    cut: (refuse = false) => {
      isRefusing = refuse;
      cutAll();
    },
    freeze: () => void (isFrozen = true),
    restore: () => {
      isFrozen = false;
      isRefusing = false;
    },
    connections: () => relays.size,
  };
}

function startRelay(client: net.Socket, server: net.Socket, control: Control): Relay {
  let injury: Injury | null = null;
  let isSwallowing = false;
  const isDead = (): boolean => control.isFrozen() || isSwallowing;
  const relay: Relay = {
    cut: () => {
      control.onEnd(relay);
      client.destroy();
      server.destroy();
    },
  };
  const happen = (): void => {
    injury?.done();
    injury = null;
  };
  const cutAndHappen = (): void => {
    relay.cut();
    happen();
  };

  function toServer(message: Buffer, isFirst: boolean): void {
    if (isDead()) return;
    const place = control.placeOf(message, isFirst);
    if (place !== null) injury ??= control.takeInjury(place);
    const fault = injury?.fault;
    if (fault !== undefined && place !== null && place !== 'bind') {
      // On the way: the message itself does not arrive.
      if (fault.startsWith('swallow_')) {
        isSwallowing = true;
        happen();
      } else cutAndHappen();
    } else if (fault === 'cut_execute' && message[0] === EXECUTE) cutAndHappen();
    else if (fault === 'cut_request') server.write(message.subarray(0, message.length >> 1), cutAndHappen);
    else if (message[0] !== SYNC) server.write(message);
    else if (fault === 'cut_before_sync') cutAndHappen();
    else if (fault === 'cut_after_sync') server.write(message, cutAndHappen);
    else if (fault === 'swallow_sync') {
      isSwallowing = true;
      happen();
    } else server.write(message);
  }

  function toClient(message: Buffer): void {
    if (isDead()) return;
    // The answer is held back until the server says that it is through.
    if (injury === null || (injury.fault === 'cut_ready' && message[0] !== READY)) client.write(message);
    else if (message[0] === READY) {
      if (injury.fault === 'swallow_answer') isSwallowing = true;
      else client.end(relay.cut);
      happen();
    }
  }

  client.on('data', framed(true, later(control, toServer)));
  server.on('data', framed(false, later(control, toClient)));
  for (const socket of [client, server]) {
    socket.setNoDelay(true);
    socket.on('error', relay.cut);
    // While nothing passes, not even the end of the other side does.
    socket.on('close', () => void (isDead() || relay.cut()));
  }
  return relay;
}

function placeOfFault(fault: Fault | WayFault): Place {
  const [, place = ''] = fault.split('_');
  return place === 'startup' || place === 'auth' || place === 'setup' || place === 'prepare' ? place : 'bind';
}

type Pass = (message: Buffer, isFirst: boolean) => void;

/** In their order, also while the delay changes. */
function later(control: Control, pass: Pass): Pass {
  let waiting: readonly { readonly due: number; readonly message: Buffer; readonly isFirst: boolean }[] = [];
  const drain = (): void => {
    const [next, ...rest] = waiting;
    if (next === undefined) return;
    const restMs = next.due - performance.now();
    if (restMs > 0) return void setTimeout(drain, restMs);
    waiting = rest;
    pass(next.message, next.isFirst);
    drain();
  };
  return (message, isFirst) => {
    const isIdle = waiting.length === 0;
    waiting = [...waiting, { due: performance.now() + control.delayMs(), message, isFirst }];
    if (isIdle) drain();
  };
}

/** Cuts a stream into PostgreSQL's messages: a type, then a length that counts itself. The client's first one has no type. */
function framed(isFromClient: boolean, pass: Pass): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let isStartup = isFromClient;
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const typeBytes = isStartup ? 0 : 1;
      if (rest.length < typeBytes + 4) return;
      const length = typeBytes + rest.readInt32BE(typeBytes);
      if (rest.length < length) return;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      pass(message, isStartup);
      isStartup = false;
    }
  };
}
