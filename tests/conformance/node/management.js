// The three management libraries through one door; prints what it saw as one JSON object.
"use strict";
const {ApiKeysClient} = require("@google-cloud/apikeys");
const {ProjectsClient} = require("@google-cloud/resource-manager");
const {ServiceUsageClient} = require("@google-cloud/service-usage");
const grpc = require("@grpc/grpc-js");
const {PassThroughClient} = require("google-auth-library");

const [, , rest, grpcAddress, door] = process.argv;
const PARENT = "projects/demo-project/locations/global";

function options() {
  if (door === "grpc") {
    const [apiEndpoint, port] = grpcAddress.split(":");
    return {apiEndpoint, port: Number(port), sslCreds: grpc.credentials.createInsecure()};
  }
  const url = new URL(rest);
  const authClient = new PassThroughClient();
  return {apiEndpoint: url.hostname, port: Number(url.port), protocol: "http", fallback: true, authClient};
}

async function finished(call) {
  const [operation] = await call;
  const [response] = await operation.promise();
  return response;
}

async function refused(call) {
  try {
    await call;
  } catch (error) {
    return {code: error.code, message: error.message, reason: error.reason, domain: error.domain};
  }
  return null;
}

async function apiKeys(seen) {
  const client = new ApiKeysClient(options());
  const restrictions = {
    serverKeyRestrictions: {allowedIps: ["203.0.113.7"]},
    apiTargets: [{service: "generativelanguage.googleapis.com", methods: ["GET"]}],
  };
  const key = await finished(
    client.createKey({parent: PARENT, keyId: "from-node", key: {displayName: "node", annotations: {a: "b"}, restrictions}}));
  seen.created = {name: key.name, displayName: key.displayName, annotations: key.annotations, marker: key.keyString.slice(0, 11)};
  seen.createdAt = Number(key.createTime.seconds);
  const [listed] = await client.listKeys({parent: PARENT});
  seen.listed = listed.map(one => [one.name, one.keyString]);
  const [got] = await client.getKey({name: key.name});
  seen.restrictions = {ips: got.restrictions.serverKeyRestrictions.allowedIps, targets: got.restrictions.apiTargets};
  const [answer] = await client.getKeyString({name: key.name});
  seen.sameString = answer.keyString === key.keyString;
  const [found] = await client.lookupKey({keyString: key.keyString});
  seen.lookup = found.name;
  const renamed = {name: key.name, displayName: "renamed"};
  seen.updated = (await finished(client.updateKey({key: renamed, updateMask: {paths: ["display_name"]}}))).displayName;
  seen.deleted = (await finished(client.deleteKey({name: key.name}))).deleteTime !== null;
  const [gone] = await client.listKeys({parent: PARENT});
  const [withDeleted] = await client.listKeys({parent: PARENT, showDeleted: true});
  seen.counts = [gone.length, withDeleted.length];
  seen.undeleted = (await finished(client.undeleteKey({name: key.name}))).name;
  const [pages] = await client.listKeys({parent: "projects/crowded-project/locations/global", pageSize: 50});
  seen.pages = pages.length;
  seen.missing = await refused(client.getKey({name: `${PARENT}/keys/missing`}));
  seen.denied = await refused(client.listKeys({parent: "projects/somebody-elses/locations/global"}));
}

async function others(seen) {
  const projects = new ProjectsClient(options());
  const [project] = await projects.getProject({name: "projects/demo-project"});
  seen.project = {name: project.name, projectId: project.projectId, state: String(project.state)};
  const [found] = await projects.searchProjects({query: "id:demo-project"});
  seen.search = found.map(one => one.projectId);
  const made = await finished(projects.createProject({project: {projectId: "made-by-node", parent: "folders/1001"}}));
  seen.made = made.projectId;
  const [held] = await projects.testIamPermissions(
    {resource: "projects/demo-project", permissions: ["apikeys.keys.list", "resourcemanager.projects.get"]});
  seen.held = held.permissions.sort();
  const usage = new ServiceUsageClient(options());
  const service = "projects/demo-project/services/generativelanguage.googleapis.com";
  const [before] = await usage.getService({name: service});
  const enabled = await finished(usage.enableService({name: service}));
  seen.service = [String(before.state), String(enabled.service.state)];
  const [on] = await usage.listServices({parent: "projects/demo-project", filter: "state:ENABLED"});
  seen.enabled = on.map(one => one.config.name);
}

async function main() {
  const seen = {};
  await apiKeys(seen);
  await others(seen);
  console.log(JSON.stringify(seen));
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
