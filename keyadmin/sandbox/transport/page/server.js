// What is asked of the sandbox, and what it says when it refuses.

export function complain(text) {
  document.getElementById("said").textContent = text;
}

// A search stands in no address: it may hold what is nobody's business.
export async function post(path, data, method = "POST") {
  const answer = await fetch(`/_sandbox/${path}`, {
    method,
    cache: "no-store",
    headers: { "Content-Type": "application/json" },
    body: method === "POST" ? JSON.stringify(data) : undefined,
  });
  const read = await answer.json();
  if (!answer.ok) throw new Refused(read.error?.message ?? `${answer.status}`);
  return read;
}

export class Refused extends Error {}
