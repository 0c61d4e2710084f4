import { descriptorToJson } from './descriptor.ts';
import { compact, sortedMap, toJsonBytes, type JsonObject } from './json.ts';
import type { ImageIndex, Manifest } from './manifest.ts';

/** The bytes of a manifest: one form for one content, members in the specification's order, indented as BuildKit does. */
export function serializeManifest(manifest: Manifest): Buffer {
  return toJsonBytes(
    compact<JsonObject>({
      schemaVersion: 2,
      mediaType: manifest.mediaType,
      artifactType: manifest.artifactType,
      config: descriptorToJson(manifest.config),
      layers: manifest.layers.map(descriptorToJson),
      subject: manifest.subject && descriptorToJson(manifest.subject),
      annotations: manifest.annotations && sortedMap(manifest.annotations),
    }),
    2,
  );
}

/** The bytes of an index; see `serializeManifest`. */
export function serializeIndex(index: ImageIndex): Buffer {
  return toJsonBytes(
    compact<JsonObject>({
      schemaVersion: 2,
      mediaType: index.mediaType,
      artifactType: index.artifactType,
      manifests: index.manifests.map(descriptorToJson),
      subject: index.subject && descriptorToJson(index.subject),
      annotations: index.annotations && sortedMap(index.annotations),
    }),
    2,
  );
}
