// An OpenID provider for tests. Its accounts are in ACCOUNTS (JSON: name to claims), any password is
// right, and it may send people back to any address of this machine. Its own address is the first
// line that it prints.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const accounts = JSON.parse(process.env.ACCOUNTS);
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "triage",
      client_secret: process.env.SECRET,
      redirect_uris: ["http://127.0.0.1/sign-in/oidc/callback"],
      post_logout_redirect_uris: ["http://127.0.0.1/"],
    }],
    pkce: { required: () => true },
    claims: { email: ["email", "email_verified"], profile: ["preferred_username", "groups"] },
    cookies: { keys: ["for tests"] },
    findAccount: (_, id) => accounts[id] && {
      accountId: id,
      claims: () => ({ sub: id, ...accounts[id] }),
    },
  });
  provider.Client.prototype.redirectUriAllowed = (uri) => new URL(uri).hostname === "127.0.0.1";
  server.on("request", provider.callback());
  console.log(issuer);
});
