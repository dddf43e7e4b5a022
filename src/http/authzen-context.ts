// What of an AuthZEN request's context is for policies, and what is for Privity. It must never let one pass for the other's answer.

type Values = Readonly<Record<string, unknown>>;

/** Asks for what an answer says of itself. */
const WITH_CONTEXT = 'response_context';
/** Obligations profile. */
const SUPPORTED = 'supported_obligations';

/** How something is done belongs to its circumstances, where policies read it; what the context itself says counts. */
export function circumstancesOf(
  action: { readonly properties?: Values } | undefined,
  context: Values | undefined,
): Values {
  return { ...action?.properties, ...context };
}

export function wantsContext(context: Values): boolean {
  return context[WITH_CONTEXT] === true;
}

/** Types, sorted. An obligation that nobody says they fulfil is not fulfilled. */
export function supportedOf(context: Values): readonly string[] {
  const types = context[SUPPORTED];
  return Array.isArray(types) ? types.filter((one) => typeof one === 'string').toSorted() : [];
}
