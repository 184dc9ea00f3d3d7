import https from 'node:https';
import net from 'node:net';
import { Client, Environment } from '@paypal/paypal-server-sdk';

export const sandbox = new URL(process.env.SANDBOX_URL);

// ToSandbox is an agent that connects to the sandbox on this machine, in plain
// HTTP, whatever host a request is for. The library knows PayPal's two hosts only
// and has no setting for another; it takes an agent of one's own, so that nothing
// else of it is changed.
class ToSandbox extends https.Agent {
  createConnection() {
    return net.connect(Number(sandbox.port), sandbox.hostname);
  }
}

export function newClient(secret = process.env.SANDBOX_SECRET) {
  return new Client({
    clientCredentialsAuthCredentials: {
      oAuthClientId: process.env.SANDBOX_CLIENT_ID,
      oAuthClientSecret: secret,
    },
    timeout: 30000,
    environment: Environment.Sandbox,
    httpClientOptions: { httpsAgent: new ToSandbox() },
  });
}

// approve presses a button of the payer's page.
export async function approve(orderId, choice = 'approve') {
  const response = await fetch(new URL('/checkoutnow', sandbox), {
    method: 'POST', redirect: 'manual', body: new URLSearchParams({ token: orderId, choice }),
  });
  if (response.status !== 303 && response.status !== 200) {
    throw new Error(`the payer's page answered ${response.status}: ${await response.text()}`);
  }
}

// setClock puts the sandbox's clock ahead.
export async function setClock(ahead) {
  const response = await fetch(new URL('/_sandbox/clock', sandbox), { method: 'PUT', body: JSON.stringify({ ahead }) });
  if (!response.ok) throw new Error(`the clock answered ${response.status}`);
}
