import * as csv from '../../csv.ts';
import { FunctionFailure } from '../hcl/limits.ts';

/** Rows of a CSV text. @throws FunctionFailure */
export function parseCsv(text: string, separator?: string): string[][] {
  return orFailure(() => csv.parseCsv(text, separator));
}

/** The fields of one line. @throws FunctionFailure */
export function csvFields(text: string): string[] {
  return orFailure(() => csv.csvFields(text));
}

function orFailure<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof csv.CsvError ? new FunctionFailure(error.message) : error;
  }
}
