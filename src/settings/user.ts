/** `DROVER_USER`: a user, and a group, by name or number, as chown(1) takes them. */
import { expected, parsed, type Codec } from "./setting.ts";

export interface UserName {
  readonly user: string;
  /** undefined: the user's own. */
  readonly group: string | undefined;
}

/** What useradd(8) accepts, or a number. */
const NAME = /^(?:[a-z_][a-z0-9_.-]{0,31}\$?|0|[1-9]\d{0,9})$/i;
const LOOKS = "USER or USER:GROUP, names or numbers, such as drover or 1000:1000";

export const userName: Codec<UserName> = {
  looksLike: LOOKS,
  format: ({ user, group }) => (group === undefined ? user : `${user}:${group}`),
  parse(text) {
    const [user = "", group, ...rest] = text.split(":");
    if (rest.length > 0 || !NAME.test(user) || (group !== undefined && !NAME.test(group))) return expected(LOOKS);
    return parsed({ user, group });
  },
};
