import type { ContentReader } from '../../../oci/index.ts';
import { BackendTarget } from '../backend.ts';
import type { OpenPlace } from '../place.ts';
import { foreign } from '../read-cache.ts';
import type { S3Place } from '../request.ts';
import { S3Backend, type S3Bucket } from './backend.ts';

export async function openS3Place(place: S3Place): Promise<OpenPlace> {
  const backend = new S3Backend(place);
  return {
    target: new BackendTarget(backend, foreign),
    references: place.names,
    label: backend.label,
    source: sourceOf(place),
    forgets: true,
    [Symbol.asyncDispose]: async () => backend[Symbol.dispose](),
  };
}

/** All that says where a bucket is; credentials are found again. */
function sourceOf({ bucket, region, prefix, endpoint, pathStyle }: S3Bucket): string {
  const query = new URLSearchParams({ region, use_path_style: String(pathStyle) });
  if (endpoint !== undefined) query.set('endpoint_url', endpoint);
  return `s3://${bucket}/${prefix}?${query.toString()}`;
}

export function openS3Source(source: string): ContentReader {
  const [, bucket = '', prefix = '', query] = /^s3:\/\/([^/]*)\/([^?]*)\?(.*)$/s.exec(source) ?? [];
  const values = new URLSearchParams(query);
  const backend = new S3Backend({
    bucket,
    prefix,
    region: values.get('region') ?? '',
    endpoint: values.get('endpoint_url') ?? undefined,
    pathStyle: values.get('use_path_style') === 'true',
  });
  return new BackendTarget(backend, foreign);
}
