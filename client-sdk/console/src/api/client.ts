import createClient from 'openapi-fetch';
import { Problem } from './problem';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type VisitRow = Schemas['VisitRow'];
export type VisitDetail = Schemas['VisitDetail'];
export type HistoryRow = Schemas['HistoryRow'];
export type Conflict = Schemas['Conflict'];
export type ConflictRow = Schemas['ConflictRow'];
export type PlaceRow = Schemas['PlaceRow'];
export type RepeatRow = Schemas['RepeatRow'];
export type HeldRow = Schemas['HeldRow'];
export type Device = Schemas['DeviceShown'];
export type Token = Schemas['Token'];
export type Coverage = Schemas['Coverage'];
export type Action = Schemas['Action'];

/** What the rest of the console wants to know of every answer. */
export interface Observer {
  /** The server answered, whatever it said. */
  reached(): void;
  /** Nobody answered. */
  lost(): void;
  /** The session has ended. */
  unauthorized(): void;
}

let observer: Observer | null = null;

export function observe(by: Observer): void {
  observer = by;
}

/** `fetch`, but whatever is no success is thrown as a {@link Problem}. */
export async function ask(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(input, init);
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'AbortError') throw thrown;
    observer?.lost();
    throw Problem.unreachable();
  }
  if (response.ok) {
    observer?.reached();
    return response;
  }
  const problem = await Problem.of(response);
  if (problem.code === 'unreachable') observer?.lost();
  else observer?.reached();
  if (problem.status === 401) observer?.unauthorized();
  throw problem;
}

/** The API, typed by the server's own description of it. Failures are thrown. */
export const api = createClient<paths>({ baseUrl: '/', fetch: (request) => ask(request) });

/** The body of a successful answer. */
export async function body<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  if (data === undefined) throw new Problem('unknown', 0, 'an answer without a body');
  return data;
}
