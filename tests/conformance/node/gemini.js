// @google/genai against the sandbox; the key comes in the environment. Prints what it saw as one JSON object.
"use strict";
const {GoogleGenAI} = require("@google/genai");

const [, , baseUrl, model] = process.argv;

async function main() {
  const client = new GoogleGenAI({apiKey: process.env.SANDBOX_KEY, httpOptions: {baseUrl}});
  const seen = {models: [], streamed: ""};
  for await (const one of await client.models.list()) seen.models.push(one.name);
  const answer = await client.models.generateContent({model, contents: "Say hello"});
  seen.text = answer.text;
  for await (const chunk of await client.models.generateContentStream({model, contents: "Say hello"})) {
    seen.streamed += chunk.text;
  }
  const wrong = new GoogleGenAI({apiKey: "AQ.SANDBOX-nobodys-key", httpOptions: {baseUrl}});
  try {
    await wrong.models.generateContent({model, contents: "Say hello"});
  } catch (error) {
    seen.error = {status: error.status, message: error.message};
  }
  console.log(JSON.stringify(seen));
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
