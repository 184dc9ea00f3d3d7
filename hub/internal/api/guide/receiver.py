import base64, hashlib, hmac, http.server, json, os, time

KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
seen = {}  # yours: a column beside your order

def genuine(headers, body):  # body: the bytes, before any JSON
    id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "0")
    want = hmac.new(KEY, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    want = "v1," + base64.b64encode(want).decode()
    recent = abs(time.time() - int(at)) < 300  # else it may be a replay
    return recent and any(hmac.compare_digest(want, given)
                          for given in headers.get("webhook-signature", "").split())

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(min(int(self.headers["Content-Length"]), 1 << 20))
        ok = genuine(self.headers, body)
        self.send_response(204 if ok else 401)
        self.end_headers()
        order = json.loads(body)["data"] if ok else {}
        if order.get("version", 0) > seen.get(order.get("id"), 0):  # else it is no news
            seen[order["id"]] = order["version"]
            print(order["reference"], "is", order["status"], flush=True)  # yours: read the order, then act

host, port = os.environ["LISTEN"].split(":")
http.server.ThreadingHTTPServer((host, int(port)), Receiver).serve_forever()
