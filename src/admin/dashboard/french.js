/** The daemon's sentences in French, by their English form: {0}, {1} … are figures, or parts that are found here too. A test knows every form. */
export const FRENCH = {
  "": "",
  "{0}": "{0}",
  "{0}: {1}": "{0} : {1}",
  // Alerts.
  "{0} of {1} slots are taken ({2} %)": "{0} places sur {1} sont prises ({2} %)",
  "95 % of the last minute's answers took up to {0} ms": "95 % des réponses de la dernière minute ont pris jusqu’à {0} ms",
  "the CPU is at {0} %": "le processeur est à {0} %",
  "the CPU is at {0} %: drover uses {1} %, other processes {2} %":
    "le processeur est à {0} % : drover en utilise {1} %, d’autres processus {2} %",
  "{0}; for {1} minutes it has not been known whether it goes on": "{0} ; depuis {1} minutes, on ne sait pas si cela dure",
  "memory is at {0} %": "la mémoire est à {0} %",
  "{0} unexpected restarts within 5 minutes{1}": "{0} redémarrages imprévus en 5 minutes{1}",
  "1 unexpected restart within 5 minutes{0}": "1 redémarrage imprévu en 5 minutes{0}",
  "; the last: {0} {1}": " ; le dernier : {0} {1}",
  "{0} of {1} workers are ready": "{0} workers prêts sur {1}",
  "the broker is away: rows go stale, and writes are refused":
    "le broker est absent : les lignes vieillissent et les écritures sont refusées",
  "the last reload was refused: {0}": "le dernier rechargement a été refusé : {0}",
  "the last reload was rolled back: {0}": "le dernier rechargement a été annulé : {0}",
  "Google has refused 1 call with 429 within 5 minutes": "Google a refusé 1 appel par un 429 en 5 minutes",
  "Google has refused {0} calls with 429 within 5 minutes": "Google a refusé {0} appels par un 429 en 5 minutes",
  "no writes are accepted here: {0}": "aucune écriture n’est acceptée ici : {0}",
  "the session store is away: {0}": "le stockage des sessions ne répond pas : {0}",
  "Google does not answer: {0}": "Google ne répond pas : {0}",
  "{0} of {1} read calls of this minute are used ({2} %)": "{0} appels de lecture sur {1} sont utilisés cette minute ({2} %)",
  "{0} of {1} write calls of this minute are used ({2} %)": "{0} appels d’écriture sur {1} sont utilisés cette minute ({2} %)",
  "1 accepted write was parked within 10 minutes: the sheet does not take it":
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
  "the file system of the {0} directory uses {1} % of its inodes, {2} are left":
    "le système de fichiers du dossier « {0} » utilise {1} % de ses inodes, il en reste {2}",
  "{0} of the last minute's {1} answers are errors with a status from 500 on ({2} %)":
    "{0} des {1} réponses de la dernière minute sont des erreurs de statut 500 ou plus ({2} %)",
  "{0} of the last minute's {1} answers are refusals with 503 ({2} %)":
    "{0} des {1} réponses de la dernière minute sont des refus par un 503 ({2} %)",
  "{0} takes {1} MiB of memory": "{0} occupe {1} Mio de mémoire",
  // The launch schedule and its guards.
  "80 % of the slots or more were taken for {0} hours of the last 24":
    "80 % des places au moins ont été prises pendant {0} heures sur les 24 dernières",
  "an operator has set the maximum to {0} instead of the launch schedule's {1}":
    "un opérateur a fixé le maximum à {0} au lieu des {1} du programme de lancement",
  "an operator holds the launch schedule at {0} slots": "un opérateur retient le programme de lancement à {0} places",
  "the launch schedule has reached its last step, {0} slots": "le programme de lancement est arrivé à sa dernière étape, {0} places",
  "day {0} of the launch schedule: {1} slots follow once the guards have held for 10 minutes":
    "jour {0} du programme de lancement : {1} places suivent dès que les garde-fous ont tenu 10 minutes",
  "the launch schedule does not raise the maximum to {0} slots: {1}": "le programme de lancement ne passe pas à {0} places : {1}",
  "day {0} of the launch schedule: {1} slots, {2} from {3} on": "jour {0} du programme de lancement : {1} places, {2} à partir du {3}",
  "{0} is not known": "{0} : valeur inconnue",
  "{0} of {1} rows (DROVER_TOKENS_PER_MINUTE) are left this minute": "il reste {0} lignes sur {1} cette minute (DROVER_TOKENS_PER_MINUTE)",
  "the feed lags: {0} of {1} calls to Google are left this minute":
    "le flux prend du retard : il reste {0} appels à Google sur {1} cette minute",
  "the feed lags: an accepted write has waited for the sheet for {0} s":
    "le flux prend du retard : une écriture acceptée attend la feuille depuis {0} s",
  "the feed is up to date": "le flux est à jour",
  "{0}; {1}": "{0} ; {1}",
  // Advice: what is known.
  "nothing is known yet": "rien n’est encore connu",
  "{0} of {1} slots are taken ({2} %{3})": "{0} places sur {1} sont prises ({2} %{3})",
  ", full in about {0} at this rate": ", complet dans environ {0} à ce rythme",
  "the CPU is at {0}, of which drover uses {1}: other processes use the rest":
    "le processeur est à {0}, dont {1} pour drover : d’autres processus utilisent le reste",
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
  "{0} of {1} slots or more were taken on {2} of the last {3} days{4}":
    "{0} places sur {1} ou plus ont été prises {2} des {3} derniers jours{4}",
  ", with CPU up to 70 % and memory up to 80 % for most of that time":
    ", le processeur restant à 70 % et la mémoire à 80 % au plus la majeure partie de ce temps",
  ", with the CPU above 70 % for most of that time": ", le processeur dépassant 70 % la majeure partie de ce temps",
  ", with memory above 80 % for most of that time": ", la mémoire dépassant 80 % la majeure partie de ce temps",
  ", with the CPU above 70 % and memory above 80 % for most of that time":
    ", le processeur dépassant 70 % et la mémoire 80 % la majeure partie de ce temps",
  // Advice: what to do.
  "nothing to do": "rien à faire",
  "nothing to do yet": "rien à faire pour l’instant",
  "more cores": "plus de cœurs",
  "stop or move the other processes (`top` shows them), or more cores":
    "arrêter ou déplacer les autres processus (« top » les montre), ou plus de cœurs",
  "other processes use most of it: stop or move them (`top` shows them), or get a machine with more memory":
    "d’autres processus en utilisent la plus grande part : les arrêter ou les déplacer (« top » les montre), ou une machine avec plus de mémoire",
  "more cores; more workers would only share them": "plus de cœurs ; plus de workers ne feraient que se les partager",
  "`drover scale {0}` frees memory, or get a machine with more": "« drover scale {0} » libère de la mémoire, ou une machine qui en a plus",
  "get a machine with more memory": "une machine avec plus de mémoire",
  "see why under `deaths` in `drover status`, and in the log": "voir pourquoi sous « deaths » dans « drover status », et dans le journal",
  "`drover stack SLOT` shows with what": "« drover stack SLOT » montre à quoi",
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
  "get a machine with more cores": "une machine avec plus de cœurs",
  "a machine with {0} GB carries about {1}: move there, then set DROVER_MAX_SLOTS={2}":
    "une machine de {0} Go en supporte environ {1} : y déménager, puis DROVER_MAX_SLOTS={2}",
  "the launch schedule raises the maximum to {0} on {1}": "le programme de lancement passe à {0} le {1}",
  "set DROVER_MAX_SLOTS={0}: the machine carries more": "DROVER_MAX_SLOTS={0} : la machine en supporte davantage",
  "{0}; plan a machine with {1} GB, which carries about {2}": "{0} ; prévoir une machine de {1} Go, qui en supporte environ {2}",
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
