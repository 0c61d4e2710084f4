import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ServerLayer, Visit } from '../pipeline.ts';
import { ProtocolError } from '../protocol-error.ts';

/** How the answer to a request begins. */
export interface AnswerHead {
  status: number;
  /** Names in lower case. */
  readonly headers: Record<string, OutgoingHttpHeader>;
}

/** One way in which a service differs from the specification. */
export interface Quirk {
  /** What clients meet, in a line. */
  readonly rule: string;
  /** Refuses or changes a request before the registry sees it. @throws ProtocolError */
  readonly before?: (visit: Visit) => Promise<void> | void;
  /** Says an error in the service's own words; undefined leaves it as it is. */
  readonly recast?: (
    error: ProtocolError,
    visit: Visit,
  ) => Promise<ProtocolError | undefined> | ProtocolError | undefined;
  /** Changes the status or headers of an answer, also of an error. */
  readonly answer?: (head: AnswerHead, visit: Visit) => void;
}

/** A registry with all quirks of a table, in their order. */
export function behave(quirks: readonly Quirk[]): ServerLayer {
  return async (visit, next) => {
    amendAnswer(visit.response, (head) => {
      for (const { answer } of quirks) answer?.(head, visit);
    });
    try {
      for (const { before } of quirks) await before?.(visit);
      await next();
    } catch (error) {
      throw error instanceof ProtocolError ? await recast(error, visit, quirks) : error;
    }
  };
}

async function recast(error: ProtocolError, visit: Visit, quirks: readonly Quirk[]): Promise<ProtocolError> {
  for (const quirk of quirks) {
    const other = await quirk.recast?.(error, visit);
    if (other !== undefined) return other;
  }
  return error;
}

/** Lets `amend` change what the response is about to say; all of our answers begin with writeHead and an object of headers. */
function amendAnswer(response: ServerResponse, amend: (head: AnswerHead) => void): void {
  const writeHead = response.writeHead.bind(response) as (
    status: number,
    headers: OutgoingHttpHeaders,
  ) => ServerResponse;
  response.writeHead = ((status: number, given: OutgoingHttpHeaders = {}): ServerResponse => {
    const headers = Object.fromEntries(
      Object.entries(given).flatMap(([name, value]) =>
        value === undefined ? [] : [[name.toLowerCase(), value] as const],
      ),
    );
    const head: AnswerHead = { status, headers };
    amend(head);
    return writeHead(head.status, head.headers);
  }) as ServerResponse['writeHead'];
}
