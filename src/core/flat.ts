// Text in one piece of memory of its own. The engine keeps text that was cut or joined as pieces of other text: that holds on to whole
// files, and every record and answer that repeats it is written several times slower. It must never change the text.

export function flat(text: string): string {
  // Half a surrogate pair would not survive; whoever reads such text refuses it.
  return text.isWellFormed() ? Buffer.from(text, 'utf8').toString('utf8') : text;
}
