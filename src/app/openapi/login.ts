/** Logging in and out in the OpenAPI document. */
type Schema = Readonly<Record<string, unknown>>;

const problem = (description: string): Schema => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});

const CREDENTIALS: Schema = {
  type: "object",
  required: ["name", "secret"],
  properties: { name: { type: "string", maxLength: 256 }, secret: { type: "string", maxLength: 256, format: "password" } },
  additionalProperties: false,
};

const ME: Schema = {
  type: "object",
  required: ["name", "role", "admin", "since", "until", "idle"],
  properties: {
    name: { type: "string", description: "As the sheet spells it" },
    role: { type: ["string", "null"] },
    admin: { type: "boolean" },
    since: { type: "string", format: "date-time" },
    until: { type: "string", format: "date-time", description: "The latest end" },
    idle: { type: "number", description: "Seconds without a request after which it ends" },
  },
};

const me: Schema = { description: "Who is logged in", content: { "application/json": { schema: ME } } };
const foreign = problem("`cross-site`: a page of another origin made the request");

export const LOGIN_PATHS: Readonly<Record<string, Schema>> = {
  "/api/login": {
    post: {
      operationId: "login",
      summary: "Begins a session: the answer sets its cookie",
      requestBody: {
        required: true,
        content: { "application/json": { schema: CREDENTIALS }, "application/x-www-form-urlencoded": { schema: CREDENTIALS } },
      },
      responses: {
        "200": me,
        "303": { description: "To /: the answer to a form" },
        "401": problem("`bad-login`: the name or the secret is wrong"),
        "403": foreign,
        "404": problem("`no-login`: nobody can log in here"),
        "429": problem("`too-many-logins`; `sessions`: as many as one may have, and the newest is refused"),
        "503": problem("`full`, `busy`, `broker`: Retry-After says when to come back"),
      },
    },
  },
  "/api/logout": {
    post: {
      operationId: "logout",
      summary: "Ends the session",
      responses: { "204": { description: "Nobody is logged in now" }, "403": foreign },
    },
  },
  "/api/me": {
    get: {
      operationId: "me",
      summary: "Who is logged in",
      responses: {
        "200": me,
        "401": problem("`not-signed-in`, `expired`, `taken-over`, `revoked`"),
        "503": problem("`full`, `broker`: the session is good, but not in at the moment. Retry-After says when to come back"),
      },
    },
  },
};
