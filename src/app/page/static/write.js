// The demo's form: a row for one table, sent as any client would send it.
const TABLE = "actions";
const LOOK = 400; // ms between two looks at what became of the row
const LOOKS = 150;

const at = (id) => document.getElementById(id);
let before; // the last request whose outcome is not known: sent again it must not become a second row
let looking = 0; // the row whose state is shown

/** Shows the form where the page has one and strangers may add rows. */
export function offerWriting(openapi, tools) {
  const section = at("write");
  const input = openapi.components.schemas[`input.${TABLE}`];
  if (section === null || openapi.paths[`/api/tables/${TABLE}`]?.post === undefined || input?.properties === undefined) return;
  const names = Object.keys(input.properties).filter((name) => name !== input["x-key"]);
  const fields = names.map((name) => field(name, [input.properties[name].type].flat()));
  at("write-fields").replaceChildren(...fields.map(({ label }) => label));
  at("write-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void send(fields, section.dataset, tools);
  });
  section.hidden = false;
}

function field(name, types) {
  const label = document.createElement("label");
  label.className = "field";
  const title = document.createElement("span");
  title.textContent = name;
  const input = document.createElement("input");
  input.name = name;
  input.maxLength = 200;
  input.autocomplete = "off";
  const numeric = !types.includes("string") && (types.includes("number") || types.includes("integer"));
  if (numeric) Object.assign(input, { type: "number", step: "any" });
  label.append(title, input);
  return { label, input, valueOf: () => (numeric ? input.valueAsNumber : input.value) };
}

async function send(fields, texts, { ask, say, showRow }) {
  const filled = fields.filter(({ input }) => input.value !== "");
  if (filled.length === 0) return tell(texts.empty, "bad");
  const body = JSON.stringify(Object.fromEntries(filled.map(({ input, valueOf }) => [input.name, valueOf()])));
  if (before?.body !== body) before = { body, key: randomKey() };
  tell(texts.sending, "");
  const nr = (looking += 1);
  const started = performance.now();
  const button = at("write-form").querySelector("button");
  button.disabled = true;
  try {
    const headers = { "content-type": "application/json", "idempotency-key": before.key };
    const { write } = (await ask(`/api/tables/${TABLE}`, { method: "POST", headers, body })).body;
    before = undefined;
    for (const { input } of filled) input.value = "";
    showRow(TABLE, write.key);
    const took = Math.round(performance.now() - started);
    void follow(write, nr, { texts, took, ask, say });
  } catch (error) {
    if (error.status !== undefined && error.status < 500) before = undefined; // surely not written
    tell(say(texts.failed, { reason: error.message }), "bad");
  } finally {
    button.disabled = false;
  }
}

/** Says what becomes of a row until it is in the spreadsheet, or another row is sent. */
async function follow(write, nr, { texts, took, ask, say }) {
  for (let looks = 0; looks <= LOOKS; looks += 1) {
    if (nr !== looking) return;
    const { id, state, reason = "" } = write;
    const after = write.landedAt === undefined ? "" : ((Date.parse(write.landedAt) - Date.parse(write.at)) / 1_000).toFixed(1);
    tell(say(texts[state], { id, reason, took, after }), state === "parked" ? "bad" : "");
    if (state === "landed" || state === "parked") return;
    await new Promise((resolve) => setTimeout(resolve, LOOK));
    write = (await ask(`/api/writes/${id}`).catch(() => ({ body: { write } }))).body.write; // not answered: looked at again
  }
}

function tell(text, tone) {
  const status = at("write-status");
  if (status.textContent !== text) status.textContent = text;
  status.dataset.tone = tone;
}

/** crypto.randomUUID is there on https alone. */
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
