/**
 * The parts of a workbook with one sheet (ECMA-376, Transitional): what Excel, LibreOffice and Google Sheets need and no more. Cells are
 * typed; text is inline, so that a row can be written without knowing the others. Nothing is ever a formula. Pure.
 */
import type { Cell, VisibleColumn } from "../../sheets/snapshot.ts";
import { looksLikeFormula } from "./formats.ts";

/** Excel's own limits: it calls a file that is beyond them damaged. */
export const MOST_ROWS = 1_048_576;
export const MOST_COLUMNS = 16_384;
export const LONGEST_TEXT = 32_767;

const CUT = `… [cut: a workbook takes ${LONGEST_TEXT} characters]`;
const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/** Places in `cellXfs` below. `quoted`: whoever edits the cell still has text, not a formula. */
const STYLE = { header: 1, date: 2, time: 3, quoted: 4 } as const;

const STYLES = `${DECLARATION}<styleSheet xmlns="${MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" quotePrefix="1"/><xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`;

/** Where the sheet stands in the package. */
export const SHEET_PATH = "xl/worksheets/sheet1.xml";

/** All parts but the sheet, by path. @param title of the sheet: a table's name. */
export function workbookParts(title: string): ReadonlyMap<string, string> {
  const override = (path: string, type: string): string => `<Override PartName="/${path}" ContentType="${SHEET_TYPE}.${type}+xml"/>`;
  const relation = (id: string, type: string, target: string): string =>
    `<Relationship Id="${id}" Type="${RELATIONS}/${type}" Target="${target}"/>`;
  return new Map([
    [
      "[Content_Types].xml",
      `${DECLARATION}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>${override("xl/workbook.xml", "sheet.main")}${override(SHEET_PATH, "worksheet")}${override("xl/styles.xml", "styles")}</Types>`,
    ],
    [
      "_rels/.rels",
      `${DECLARATION}<Relationships xmlns="${PACKAGE}/relationships">${relation("rId1", "officeDocument", "xl/workbook.xml")}</Relationships>`,
    ],
    [
      "xl/workbook.xml",
      `${DECLARATION}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><sheets><sheet name="${xmlText(sheetTitle(title))}" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    ],
    [
      "xl/_rels/workbook.xml.rels",
      `${DECLARATION}<Relationships xmlns="${PACKAGE}/relationships">${relation("rId1", "worksheet", "worksheets/sheet1.xml")}${relation("rId2", "styles", "styles.xml")}</Relationships>`,
    ],
    ["xl/styles.xml", STYLES],
  ]);
}

/** At most 31 characters without []:*?/\ and without ' at an end; "History" is Excel's own. */
function sheetTitle(name: string): string {
  const title = wellCut(name.replace(/[[\]:*?/\\]|^'|'$/g, "_"), 31);
  return title === "" ? "Sheet1" : /^history$/i.test(title) ? `${title}_` : title;
}

/** The sheet up to its rows, the line of names included, which stays in sight when one scrolls. */
export function sheetHead(columns: readonly VisibleColumn[]): string {
  const widths = columns.flatMap(({ type }, i) =>
    type === "date" ? [`<col min="${i + 1}" max="${i + 1}" width="20" customWidth="1"/>`] : [],
  );
  const names = columns.map(({ name }, i) => textCell(`${columnName(i)}1`, name, STYLE.header)).join("");
  const cols = widths.length === 0 ? "" : `<cols>${widths.join("")}</cols>`;
  return `${DECLARATION}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>${cols}<sheetData><row r="1">${names}</row>`;
}

export const SHEET_TAIL = "</sheetData></worksheet>";

/** @param nr of the row in the sheet, from 1; the names have 1. @param letters of the columns, see `columnName`. */
export function sheetRow(nr: number, cells: readonly Cell[], columns: readonly VisibleColumn[], letters: readonly string[]): string {
  let xml = `<row r="${nr}">`;
  for (let i = 0; i < columns.length; i += 1) {
    const cell = cells[i] ?? null;
    if (cell !== null) xml += cellXml(`${letters[i]}${nr}`, cell, columns[i]?.type === "date");
  }
  return `${xml}</row>`;
}

function cellXml(at: string, cell: string | number | boolean, date: boolean): string {
  if (typeof cell === "number") return `<c r="${at}"><v>${cell}</v></c>`;
  if (typeof cell === "boolean") return `<c r="${at}" t="b"><v>${cell ? 1 : 0}</v></c>`;
  const day = date ? serialOf(cell) : undefined;
  if (day !== undefined) return `<c r="${at}" s="${day.time ? STYLE.time : STYLE.date}"><v>${day.serial}</v></c>`;
  return textCell(at, cell, looksLikeFormula(cell) ? STYLE.quoted : 0);
}

function textCell(at: string, text: string, style: number): string {
  const cut = text.length > LONGEST_TEXT ? wellCut(text, LONGEST_TEXT - CUT.length) + CUT : text;
  return `<c r="${at}"${style === 0 ? "" : ` s="${style}"`} t="inlineStr"><is><t xml:space="preserve">${xmlText(cut)}</t></is></c>`;
}

/** The first `most` code units, or one less rather than half a character. */
function wellCut(text: string, most: number): string {
  const cut = text.slice(0, most);
  return text.length > most && /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** A, B, … Z, AA … @param index from 0. */
export function columnName(index: number): string {
  let name = "";
  for (let rest = index + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) name = String.fromCharCode(65 + ((rest - 1) % 26)) + name;
  return name;
}

const DATE = /^(\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/;
const DAY_MS = 86_400_000;
/** 1 January 1970 as Excel counts days; from 1 March 1900 on its count is right (it believes that 1900 was a leap year). */
const EPOCH = 25_569;
const FIRST_SOUND = 61;
const BEYOND = 2_958_466;

/** @returns days as Excel counts them, moments of another zone in UTC; undefined for what it can't show as a date. */
function serialOf(text: string): { readonly serial: number; readonly time: boolean } | undefined {
  const [, day, time = "T00:00", zone = "Z"] = DATE.exec(text) ?? [];
  const serial = day === undefined ? NaN : Date.parse(`${day}${time}${zone}`) / DAY_MS + EPOCH;
  return serial >= FIRST_SOUND && serial < BEYOND ? { serial, time: text.length > 10 } : undefined;
}

/** What XML 1.0 has no way to say stands as _xHHHH_ (ECMA-376 22.9.2.19), and what looks like that is marked as text. */
function xmlText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return text.toWellFormed().replace(/_(?=x[0-9A-Fa-f]{4}_)|[&<>"\0-\x08\x0b-\x1f\uFFFE\uFFFF]/g, (found) => {
    const entity = ENTITIES[found];
    return entity ?? `_x${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_`;
  });
}
const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
