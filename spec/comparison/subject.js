// SPDX-License-Identifier: Apache-2.0
// What the comparison runs, by the official TypeScript SDK: subject.js VERB [ARG...], the service by
// $CONFIDENT_BASE_URL and $CONFIDENT_ORG_API_KEY. Prints what happened as one line of JSON, as its siblings do.

const { inspect } = require("util");
const { ConfidentAI } = require("confidentai");

const client = new ConfidentAI();
const ids = (keys) => keys.map((key) => key.id);

const verbs = {
  async create(name) {
    const key = await client.organization().apiKeys.create({ name });
    return { secret: key.value, printed: inspect(key) };
  },
  list: async () => ({ ids: ids(await client.organization().apiKeys.list()) }),
  list_project: async (project) => ({ ids: ids(await client.project(project).apiKeys.list()) }),
  async delete_project_key(project, id) {
    await client.project(project).apiKeys.delete(id);
    return {};
  },
  client: async () => ({ base_url: client.baseUrl, printed: inspect(client) }),
  // Every key of the organization and of every project, as one would write it with this SDK.
  async audit() {
    const projects = await client.projects.list();
    const places = [client.organization(), ...projects.map((project) => client.project(project.id))];
    const lists = await Promise.all(places.map((place) => place.apiKeys.list()));
    return { count: lists.flat().length };
  },
  async methods() {
    const keys = client.organization().apiKeys;
    return { names: ["rotate", "provision", "ensure"].filter((name) => name in keys) };
  },
};

verbs[process.argv[2]](...process.argv.slice(3))
  .catch((error) => ({ error: error.constructor.name, message: error.message }))
  .then((answer) => console.log(JSON.stringify(answer)));
