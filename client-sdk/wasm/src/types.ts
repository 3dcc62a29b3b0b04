/** What a session wants next. It is asked again after each; a failure is thrown. */
export type Step =
  | { kind: 'sign'; messages: Uint8Array[] }
  | { kind: 'send'; request: SignedRequest }
  | { kind: 'wait'; ms: number }
  | { kind: 'done' };

/** A request, to be sent as it stands: it is signed. Redirects are not followed. */
export interface SignedRequest {
  method: 'GET' | 'POST';
  url: string;
  headers: [name: string, value: string][];
  body: Uint8Array;
  maxAnswerBytes: number;
}

/** What came of it. */
export type Answer =
  | { status: number; headers: [name: string, value: string][]; body: Uint8Array }
  | { failed: 'unreachable' | 'timed_out' | 'answer_too_long' };

/** What is thrown. `code` is stable, `action` says what helps. */
export interface AralauError extends Error {
  code: string;
  action: 'retry' | 'enroll' | 'update' | 'correct' | 'report';
  detail: string;
}

/** How far a document has come. */
export type State =
  | { state: 'on_this_phone' }
  | { state: 'received' }
  | { state: 'at_headquarters' }
  | { state: 'held'; reason: string; words: string };

/** Milliseconds since 1970, UTC. */
export type Millis = number;

export type Value = null | boolean | number | string;

export interface Position {
  lat: number;
  lon: number;
  accuracy_m: number | null;
  mock: boolean;
}

/** A visit as far as it is filled in; what is missing is empty. */
export interface VisitForm {
  place?: string | null;
  visit_type?: string | null;
  outcome?: string | null;
  started_at?: Millis | null;
  ended_at?: Millis | null;
  position?: Position | null;
  note?: string;
  concerns?: { category?: string | null; text?: string }[];
  referrals?: { agency?: string | null; reason?: string; due?: string | null }[];
  commitments?: { to?: string; text?: string; due?: string | null }[];
}

export interface Draft {
  id: string;
  at: Millis;
  /** Nothing where this build cannot read it. */
  form: VisitForm | null;
}

/** A change of a visit. `set` puts text: codes, dates, words. */
export type VisitChange =
  | { kind: 'set'; field: string; text: string }
  | { kind: 'add_note'; text: string }
  | { kind: 'withdraw_note'; id: string }
  /** A promise was kept, now. */
  | { kind: 'fulfil'; id: string }
  | { kind: 'withdraw' };

export interface Note {
  id: string;
  text: string;
  by: string;
  person: string | null;
  at: Millis;
  status: 'active' | 'withdrawn';
}

export interface Conflict {
  field: string;
  values: { value: Value; authors: { name: string; person: string | null; at: Millis }[] }[];
}

/** Own words that are kept apart. */
export interface Held {
  at: Millis;
  reason: string;
  words: string;
  note: string | null;
  sent: boolean;
  puts: Record<string, Value>;
}

export type Visit = State & {
  id: string;
  scope: string;
  beat: string | null;
  place: string | null;
  address: string | null;
  visit_type: string | null;
  outcome: string | null;
  status: 'active' | 'withdrawn';
  started_at: Millis | null;
  ended_at: Millis | null;
  position: Position | null;
  notes: Note[];
  collections: Record<string, Record<string, Record<string, Value>>>;
  conflicts: Conflict[];
  other: Record<string, Value>;
  authors: string[];
  people: { name: string; id: string | null }[];
  held: Held[];
};

/** A place of the round, with what was seen of it. */
export interface Stop {
  id: string;
  beat: string;
  address: string | null;
  external_code: string | null;
  place_type: string | null;
  coordinates: { lat: number; lon: number } | null;
  /** Visits that count. */
  visits: number;
  visited_at: Millis | null;
  /** Of the newest visit. */
  outcome: string | null;
  contacted_at: Millis | null;
  /** The first day on which something promised there is due, `2026-12-31`. */
  due: string | null;
}

export interface Change {
  change: string;
  by: string;
  person: string | null;
  at: Millis;
  received_at: Millis | null;
  labels: string[];
  held: string | null;
  puts: Record<string, Value>;
}

export interface Beat {
  code: string;
  scope: string;
  name: string;
}

/** The outline of a beat. */
export interface Outline {
  beat: Beat;
  /** Closed lines, whose last corner goes on to their first. What lies inside of an odd number of them lies inside of the beat. */
  rings: { lat: number; lon: number }[][];
}

export interface Status {
  person: { id: string; name: string } | null;
  url: string | null;
  replica: string;
  /** Own entries that the server has not acknowledged, and the documents that they are about. */
  unsent: number;
  unsent_documents: number;
  oldest_unsent_at: Millis | null;
  /** Documents that somebody has to look at. */
  asking: number;
  synced_at: Millis | null;
  orphans: number;
  skew_ms: number | null;
  /** Headquarters has shut this device out. */
  shut_out: boolean;
  scopes: {
    scope: string;
    beat: Beat | null;
    epoch: number;
    sequence: number;
    verified: number;
    backed_up: number;
    written: number;
    decided: number;
    receipt: string | null;
  }[];
  alarms: { code: string; scope: string | null; detail: string; at: Millis; count: number }[];
}

/** What a sync came to. */
export interface Report {
  requests: number;
  bytes_up: number;
  bytes_down: number;
  pushed: number;
  pulled: number;
  held: { scope: string; index: number; reason: string }[];
  relayed: number;
  refused: string[];
  unsent: number;
  confirmed: {
    scope: string;
    beat: string | null;
    confirmed_index: number;
    epoch: number;
    verified: number;
  }[];
  new_replica: boolean;
  rewound: boolean;
  beats_changed: boolean;
  wipe: boolean;
  upgrade: boolean;
  skew_ms: number;
}

/** What codes are called. */
export interface CodeList {
  name: string;
  codes: ({ code: string } & Record<Language, { text: string; reviewed: boolean }>)[];
}

export type Language = 'ru' | 'kk' | 'en';
