import { redactHeaders, redactText, redactUrl } from '../redact.ts';
import { type Clock, systemClock } from './clock.ts';
import { headerValues, type HttpResponse, type Layer, type Method } from './dispatch.ts';
import { asRegistryError } from './network-error.ts';
import { messageOf } from '../../errors.ts';

/** One request as a log may show it: no credential, no query value. */
export interface TraceEvent {
  readonly method: Method;
  readonly url: string;
  readonly status?: number | undefined;
  readonly error?: string | undefined;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly milliseconds: number;
}

export interface RedactionOptions {
  readonly trace?: ((event: TraceEvent) => void) | undefined;
  /** Receives each `Warning: 299` text of a registry once (distribution-spec, "Warnings"). */
  readonly warn?: ((message: string) => void) | undefined;
  readonly clock?: Clock | undefined;
}

const mostWarnings = 20;

/**
 * The border to the rest of the program: what passes outward, as a trace event, a warning or an error, holds no secret,
 * and failures of the network become RegistryErrors.
 */
export function redaction(options: RedactionOptions = {}): Layer {
  const { trace, warn, clock = systemClock } = options;
  const warned = new Set<string>();
  return (next) => async (request) => {
    const start = clock.now();
    const event = {
      method: request.method,
      url: redactUrl(request.url),
      requestHeaders: redactHeaders(request.headers ?? {}),
    };
    try {
      const response = await next(request);
      trace?.({ ...event, status: response.status, milliseconds: clock.now() - start });
      for (const text of warningsOf(response)) {
        if (warned.has(text) || warned.size >= mostWarnings) continue;
        warned.add(text);
        warn?.(`${request.url.host}: ${text}`);
      }
      return response;
    } catch (error) {
      const shown = asRegistryError(error, request.url.host);
      trace?.({ ...event, error: redactText(messageOf(shown)), milliseconds: clock.now() - start });
      throw shown;
    }
  };
}

function warningsOf(response: HttpResponse): string[] {
  return headerValues(response, 'warning').flatMap((value) => {
    const text = /^299 \S+ "((?:[^"\\]|\\.){1,300})"/.exec(value)?.[1];
    return text === undefined ? [] : [text.replace(/\\(.)/g, '$1').replace(/[^\x20-\x7e]/g, ' ')];
  });
}
