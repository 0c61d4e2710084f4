import { DockerfileError } from '../error.ts';
import { didYouMean } from '../suggest.ts';
import { cut } from '../text.ts';
import { parseBoolean, splitFields } from './fields.ts';

/**
 * The name of a CDI device in `--device=[name=]NAME[,required]`.
 * @throws DockerfileError INVALID_FLAG
 */
export function parseDevice(text: string): string {
  let name = '';
  for (const field of splitFields(text, 'devices')) {
    const [written, value] = cut(field, '=') ?? [field, undefined];
    const key = written.toLowerCase();
    if (key === 'name' && value !== undefined) {
      if (name !== '') throw invalid(`device name already set to ${name}`);
      name = value;
    } else if (key === 'required') {
      if (value !== undefined && parseBoolean(value) === undefined) throw invalid(`invalid value for ${key}: ${value}`);
    } else if (name === '')
      name = field; // a qualified name holds `=` itself: vendor.com/class=name
    else if (value === undefined) throw invalid(`invalid field '${field}' must be a key=value pair`);
    else throw invalid(`unexpected key '${key}' in '${field}'${didYouMean(key, ['name', 'required'])}`);
  }
  return name;
}

function invalid(message: string): DockerfileError {
  return new DockerfileError('INVALID_FLAG', message);
}
