// The samples of Stripe's documentation for what the sandbox serves, written for
// Stripe's current library for Node.js. The test of the sandbox runs them.
import http from 'node:http';
import Stripe from 'stripe';

// served is the API version that the sandbox serves. The library has its own built in;
// apiVersion says another.
export const served = '2023-10-16';

// newClient is a client with a key, and with more settings.
export function newClient(key, more) {
  if (!process.env.SANDBOX_URL) {
    throw new Error('SANDBOX_URL is not set: run these samples through the tests of plugins/stripe/sandbox');
  }
  const { hostname, port } = new URL(process.env.SANDBOX_URL);
  return new Stripe(key, { host: hostname, port, protocol: 'http', telemetry: false, ...more });
}

export const stripe = newClient(process.env.SANDBOX_KEY, { apiVersion: served });

// webhook is an address that Stripe can call, with a promise of its first call.
export async function webhook() {
  let received;
  const call = new Promise((resolve) => {
    received = resolve;
  });
  const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    response.end();
    received({ body: Buffer.concat(parts), signature: request.headers['stripe-signature'] });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, call, close: () => server.close() };
}

// charge pays with a token, as the documentation of charges does.
export function charge(source, more) {
  return stripe.charges.create({ amount: 1099, currency: 'usd', source, ...more });
}
