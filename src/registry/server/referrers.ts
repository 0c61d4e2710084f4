import { type Descriptor, mediaTypes } from '../../oci/index.ts';
import { countWanted, digestFrom, type Exchange, sendJson } from './exchange.ts';
import { ProtocolError } from './protocol-error.ts';

/** Bytes of one page, as the manifest that it is to clients, which take 4 MiB at least. */
const largestPage = 4 * 1024 * 1024 - 1024;

/** GET of `/v2/<name>/referrers/<digest>`: an index, empty where nothing refers to it (distribution-spec, "Listing Referrers"). */
export async function getReferrers(exchange: Exchange, reference: string): Promise<void> {
  const { name, query, repository, rules } = exchange;
  if (!rules.referrers) throw new ProtocolError('UNSUPPORTED', 'there is nothing here', { status: 404 });
  const subject = digestFrom(reference);
  const artifactType = query.get('artifactType');
  const all = await repository.referrers(subject);
  const wanted = artifactType === null ? all : all.filter((entry) => entry.artifactType === artifactType);
  const last = query.get('last');
  const rest = wanted.filter(({ digest }) => last === null || digest > last).sort(byDigest);
  const manifests = firstPage(rest, countWanted(query, rules.pageSize));
  const final = manifests.at(-1);
  sendJson(exchange, {
    document: { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    contentType: mediaTypes.ociIndex,
    headers: {
      ...(artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' }),
      ...(final === undefined || manifests.length === rest.length
        ? {}
        : { link: `</v2/${name}/referrers/${subject}?${nextPage(query, final).toString()}>; rel="next"` }),
    },
  });
}

function byDigest(a: Descriptor, b: Descriptor): number {
  return a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0;
}

/** As many as `count` and a page's bytes allow; one at least, or the list would never end. */
function firstPage(entries: readonly Descriptor[], count: number): readonly Descriptor[] {
  let size = 0;
  const end = entries.slice(0, count).findIndex((entry, at) => {
    size += Buffer.byteLength(JSON.stringify(entry)) + 1;
    return size > largestPage && at > 0;
  });
  return entries.slice(0, end < 0 ? count : end);
}

function nextPage(query: URLSearchParams, { digest }: Descriptor): URLSearchParams {
  const next = new URLSearchParams(query);
  next.set('last', digest);
  return next;
}
