/** The daemon's sentences in French, by their English form: {0}, {1} … are figures, or parts that are found here too. A test knows every form. */
export const FRENCH = {
  "": "",
  "{0}": "{0}",
  "{0}: {1}": "{0} : {1}",
  // Alerts.
  "{0} of {1} slots are taken ({2} %)": "{0} places sur {1} sont prises ({2} %)",
  "95 % of the last minute's answers took up to {0} ms": "95 % des réponses de la dernière minute ont pris jusqu’à {0} ms",
  "the CPU is at {0} %": "le processeur est à {0} %",
  "memory is at {0} %": "la mémoire est à {0} %",
  "{0} unexpected restarts within 5 minutes{1}": "{0} redémarrages imprévus en 5 minutes{1}",
  "; the last: {0} {1}": " ; le dernier : {0} {1}",
  "{0} of {1} workers are ready": "{0} workers prêts sur {1}",
  "the broker is away: rows go stale, and writes are refused":
    "le broker est absent : les lignes vieillissent et les écritures sont refusées",
  "the last reload was refused: {0}": "le dernier rechargement a été refusé : {0}",
  "the last reload was rolled back: {0}": "le dernier rechargement a été annulé : {0}",
  "Google has refused 1 call with 429 within 5 minutes": "Google a refusé 1 appel par un 429 en 5 minutes",
  "Google has refused {0} calls with 429 within 5 minutes": "Google a refusé {0} appels par un 429 en 5 minutes",
  "Google does not answer: {0}": "Google ne répond pas : {0}",
  "{0} of {1} read calls of this minute are used ({2} %)": "{0} appels de lecture sur {1} sont utilisés cette minute ({2} %)",
  "{0} of {1} write calls of this minute are used ({2} %)": "{0} appels d’écriture sur {1} sont utilisés cette minute ({2} %)",
  "1 accepted write was parked within 10 minutes: the sheet does not take them":
    "1 écriture acceptée a été mise de côté en 10 minutes : la feuille n’en veut pas",
  "{0} accepted writes were parked within 10 minutes: the sheet does not take them":
    "{0} écritures acceptées ont été mises de côté en 10 minutes : la feuille n’en veut pas",
  "{0} accepted writes wait for the sheet, the oldest for {1} s":
    "{0} écritures acceptées attendent la feuille, la plus ancienne depuis {1} s",
  "the journal is {0} % full: at 100 % writes are refused": "le journal est plein à {0} % : à 100 %, les écritures sont refusées",
  "the table {0} has {1} % of its maxRows or maxBytes: at 100 % new rows are refused":
    "la table {0} a atteint {1} % de son maxRows ou de son maxBytes : à 100 %, les nouvelles lignes sont refusées",
  "the file system of the {0} directory is {1} % full, {2} MiB are left":
    "le système de fichiers du dossier « {0} » est plein à {1} %, il reste {2} Mio",
  // Advice: what is known.
  "nothing is known yet": "rien n’est encore connu",
  "{0} of {1} slots are taken ({2} %{3})": "{0} places sur {1} sont prises ({2} %{3})",
  ", full in about {0} at this rate": ", complet dans environ {0} à ce rythme",
  "the CPU is at {0} with {1} workers on 1 core": "le processeur est à {0} avec {1} workers sur 1 cœur",
  "the CPU is at {0} with {1} workers on {2} cores": "le processeur est à {0} avec {1} workers sur {2} cœurs",
  "memory is at {0}, {1} workers take about {2} MiB each": "la mémoire est à {0}, {1} workers prennent environ {2} Mio chacun",
  "the workers' event loops are {0} busy": "les boucles des workers sont occupées à {0}",
  "the workers' event loops are {0} busy, the CPU is at {1}": "les boucles des workers sont occupées à {0}, le processeur est à {1}",
  "{0} of {1} connections are open": "{0} connexions ouvertes sur {1}",
  "{0} of {1} read calls of this minute are used ({2}){3}": "{0} appels de lecture sur {1} sont utilisés cette minute ({2}){3}",
  "{0} of {1} write calls of this minute are used ({2})": "{0} appels d’écriture sur {1} sont utilisés cette minute ({2})",
  ", and Google refuses more": ", et Google en refuse davantage",
  "{0}, of which the tables need up to {1}": "{0}, dont {1} au plus pour les tables",
  "1 table at {0} needs up to {1} calls/min of {2}{3}": "1 table avec {0} demande jusqu’à {1} appels/min sur {2}{3}",
  "{0} tables at {1} need up to {2} calls/min of {3}{4}": "{0} tables avec {1} demandent jusqu’à {2} appels/min sur {3}{4}",
  "TTL {0}": "un TTL de {0}",
  "TTLs of {0} to {1}": "des TTL de {0} à {1}",
  "{0} accepted writes wait for the sheet, the journal is {1} full":
    "{0} écritures acceptées attendent la feuille, le journal est plein à {1}",
  // Advice: what to do.
  "nothing to do": "rien à faire",
  "nothing to do yet": "rien à faire pour l’instant",
  "more cores": "plus de cœurs",
  "more cores; more workers would only share them": "plus de cœurs ; plus de workers ne feraient que se les partager",
  "`drover scale {0}` frees memory, or get a machine with more": "« drover scale {0} » libère de la mémoire, ou une machine qui en a plus",
  "get a machine with more memory": "une machine avec plus de mémoire",
  "see why under `deaths` in `drover status`, and in the log": "voir pourquoi sous « deaths » dans « drover status », et dans le journal",
  "`drover scale {0}`, there is CPU left": "« drover scale {0} », il reste du processeur",
  "raise DROVER_WORKER_CONNECTIONS ({0}), or shorten DROVER_KEEP_ALIVE":
    "augmenter DROVER_WORKER_CONNECTIONS ({0}), ou raccourcir DROVER_KEEP_ALIVE",
  "DROVER_MAX_SLOTS={0}, the machine carries more{1}": "DROVER_MAX_SLOTS={0}, la machine en supporte davantage{1}",
  "more slots need a bigger machine first{0}": "plus de places demandent d’abord une machine plus grande{0}",
  ": CPU is at {0} %, memory at {1} %": " : le processeur est à {0} %, la mémoire à {1} %",
  "mend the key or the share: `drover status` shows the rows it serves meanwhile":
    "réparer la clé ou le partage : « drover status » montre les lignes servies entre-temps",
  "rows are served as they are, marked stale: look at the network, or wait for Google":
    "les lignes sont servies telles quelles, marquées périmées : voir le réseau, ou attendre Google",
  "one call carries many writes, so they come later, not fewer: ask Google for more, then raise DROVER_WRITES_PER_MINUTE":
    "un appel porte beaucoup d’écritures : elles arrivent plus tard, pas moins nombreuses ; demander plus à Google, puis augmenter DROVER_WRITES_PER_MINUTE",
  "look at what else reads with this account": "voir ce qui lit encore avec ce compte",
  "something else reads with this account: give drover one of its own (quota {0}/min)":
    "quelque chose d’autre lit avec ce compte : en donner un à drover seul (quota {0}/min)",
  "{0} times the TTLs (ttl in the tables file, DROVER_CACHE_TTL) {1}":
    "des TTL {0} fois plus longs (ttl dans le fichier des tables, DROVER_CACHE_TTL) : {1}",
  "TTL {0} (DROVER_CACHE_TTL, or ttl in the tables file) {1}": "un TTL de {0} (DROVER_CACHE_TTL, ou ttl dans le fichier des tables) : {1}",
  "halves it": "moitié moins d’appels",
  "makes it {0}": "{0} appels/min",
  "see why Google does not take them (`drover status`), or raise DROVER_JOURNAL_SIZE":
    "voir pourquoi Google ne les prend pas (« drover status »), ou augmenter DROVER_JOURNAL_SIZE",
};

/**
 * @param said an English form and its figures, which may be the same again.
 * @returns undefined where a form of it is not known here: then it is said in English, whole.
 */
export function inFrench([form, ...figures], number = String) {
  const own = Object.hasOwn(FRENCH, form) ? FRENCH[form] : undefined;
  if (own === undefined) return undefined;
  const words = figures.map((one) => (Array.isArray(one) ? inFrench(one, number) : typeof one === "number" ? number(one) : one));
  return words.includes(undefined) ? undefined : own.replaceAll(/\{(\d)\}/g, (_, i) => words[i] ?? "");
}
