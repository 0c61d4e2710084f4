import type { MirrorReport, RegistryReport, ServerReport } from '../registry/index.ts';
import { escapeControls } from './escape.ts';

/** What applies to a registry, for people: one block for each server in the order in which they are asked. */
export function registryReportText(report: RegistryReport): string {
  const { mirrors, location, pushes, roots, remarks } = report;
  const lines = [
    escapeControls(report.name),
    ...(report.blockedBy === null ? [] : [`blocked by ${escapeControls(report.blockedBy)}`]),
    ...mirrors.flatMap((mirror, index) => ['', ...serverLines(`mirror ${index + 1}`, mirror)]),
    '',
    ...serverLines('registry', location),
    '',
    line('pushes go to', pushes),
    ...roots.map(({ path, from }) => line('authorities', path, from)),
    ...(remarks.length === 0 ? [] : ['', ...remarks.map((remark) => `note: ${escapeControls(remark)}`)]),
  ];
  return `${lines.join('\n')}\n`;
}

function serverLines(title: string, server: ServerReport | MirrorReport): string[] {
  const { proxy, credential } = server;
  return [
    line(title, server.url, server.from),
    ...('serves' in server ? [detail('serves', server.serves.join(', '))] : []),
    ...(server.scheme === 'either' ? [detail('protocol', 'https, or http where it speaks no TLS')] : []),
    detail('certificates', server.verify ? 'checked' : 'any is taken', server.unverifiedBy),
    ...server.authorities.map(({ path, from }) => detail('authority', path, from)),
    ...server.clientCertificates.map(({ certificate, key, from }) =>
      detail('our certificate', certificate === key ? certificate : `${certificate}, ${key}`, from),
    ),
    ...(server.headers.length === 0 ? [] : [detail('headers', server.headers.join(', '))]),
    ...(server.namespace === null ? [] : [detail('stands for', server.namespace)]),
    ...(server.address === null ? [] : [detail('address', server.address, '--resolve')]),
    detail('proxy', proxy?.url ?? 'none', proxy?.from ?? null),
    detail('credential', credential === null ? 'none' : (credential.user ?? credential.kind), credential?.from ?? null),
  ];
}

function line(title: string, value: string, from: string | null = null): string {
  return `${title.padEnd(18)}${escapeControls(value)}${from === null ? '' : `  (${escapeControls(from)})`}`;
}

function detail(title: string, value: string, from: string | null = null): string {
  return line(`  ${title}`, value, from);
}
