/** A slider or a text field of the page's own, or anything that looks like one. */
export interface FieldLike {
  id?: string;
  name?: string;
  value: string;
  maxLength?: number;
  dataset?: DOMStringMap;
}

/** What a field is called among the settings: its `data-setting`, its name, or its id. */
export function settingOf(field: FieldLike): string | null {
  return field.dataset?.setting || field.name || field.id || null;
}

/** The element that shows a field's value: an `<output for="…">`, or the next element when it is one or a span. */
export function displayOf(field: FieldLike): Element | null {
  if (!(field instanceof Element)) return null;
  const named = field.id && document.querySelector(`output[for~="${CSS.escape(field.id)}"]`);
  const next = field.nextElementSibling;
  return named || (next?.matches('output, span') ? next : null);
}

/** Characters as people count them, and the limit when there is one: `12 / 2000`. */
export function countOf(field: FieldLike): string {
  const now = [...field.value].length;
  const most = field.maxLength ?? -1;
  return most > 0 ? `${now} / ${most}` : String(now);
}
