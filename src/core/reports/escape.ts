// Makes any text harmless in HTML and SVG, between tags and in quoted attributes. It must never let a control character through that
// could change how the text around it reads.

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Controls, and marks that turn the direction of text (Unicode, UAX 9): ids need neither. */
const UNSEEN = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]/g;

export function escapeHtml(text: string): string {
  return text.replace(UNSEEN, '\uFFFD').replace(/[&<>"']/g, (one) => ENTITIES[one] ?? '');
}
