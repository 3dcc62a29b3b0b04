// How a signed request leaves a browser.
import type { Answer, SignedRequest } from 'aralau-client';

const PATIENCE_MS = 120_000;

/** Sends a request as it stands, with no cookie, and follows nothing. */
export async function send(request: SignedRequest): Promise<Answer> {
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body: request.method === 'GET' ? null : (request.body as BodyInit),
      credentials: 'omit',
      redirect: 'error',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const body = await bounded(response, request.maxAnswerBytes);
    return body
      ? { status: response.status, headers: [...response.headers], body }
      : { failed: 'answer_too_long' };
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
    return { failed: timedOut ? 'timed_out' : 'unreachable' };
  }
}

/** All of the body, or nothing where it is longer than that. */
async function bounded(response: Response, most: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    length += read.value.length;
    if (length > most) {
      await reader?.cancel();
      return null;
    }
    chunks.push(read.value);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
