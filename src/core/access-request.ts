// What a request for access is (AuthZEN access request and approval profile). It must never hold behaviour of its own.

/** What would open what was denied: the profile's `template`, by which a request finds its workflow. */
export type Template = 'approval' | 'emergency';

export interface AccessRequest {
  /** Evaluation id of the deny. */
  readonly denial: string;
  readonly template: Template;
  /** When it ends; milliseconds since 1970. */
  readonly until: number;
  /** Whether an emergency was stated as policy wants it; what a second person says is not known yet. */
  readonly isStated: boolean;
}

/** From a deny, for so long, access can be requested. */
export const REQUESTABLE_MS = 30 * 60_000;

export function isTemplate(value: unknown): value is Template {
  return value === 'approval' || value === 'emergency';
}
