/** The forms that a table can be taken away in. */
export const FORMATS = {
  csv: { type: "text/csv; charset=utf-8; header=present", what: "CSV (RFC 4180), UTF-8" },
  xlsx: { type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", what: "a workbook for Excel and LibreOffice" },
  json: { type: "application/json; charset=utf-8", what: "one array of rows" },
} as const satisfies Record<string, { readonly type: string; readonly what: string }>;

export type Format = keyof typeof FORMATS;
export const FORMAT_NAMES = Object.keys(FORMATS) as readonly Format[];

/**
 * Text that a spreadsheet program may take for a formula when it opens a CSV file: OWASP's list (CSV Injection: = + - @, tab, CR, LF, and
 * the full-width forms) and ASVS 1.2.10's NUL, behind blanks and invisible characters too.
 */
export const looksLikeFormula = (text: string): boolean => /^(?:[\t\r\n\0]|[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠﹦﹢﹣﹫])/u.test(text);
