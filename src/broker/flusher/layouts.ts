/** Where tables stand: as their last reading shows it, also one that may not be published. */
import type { Layout } from "../../sheets/layout.ts";

type LayoutOf = (table: string) => Layout | undefined;

export class Layouts {
  /** The broker's, of the last published reading. */
  readonly #published: LayoutOf;
  readonly #withheld = new Map<string, { readonly layout: Layout; readonly after: Layout | undefined }>();

  constructor(published: LayoutOf) {
    this.#published = published;
  }

  readonly of: LayoutOf = (table) => {
    const published = this.#published(table);
    const withheld = this.#withheld.get(table);
    return withheld?.after === published ? (withheld?.layout ?? published) : published;
  };

  /** A reading is not published; its columns are those to write by until another is. */
  withhold(layout: Layout): void {
    this.#withheld.set(layout.table, { layout, after: this.#published(layout.table) });
  }
}
