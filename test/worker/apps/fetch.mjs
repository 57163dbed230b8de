export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/throw") throw new Error("no");
    if (url.pathname === "/cookies") {
      const headers = new Headers([
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ]);
      return new Response(null, { status: 204, headers });
    }
    const body = request.method === "POST" ? await request.text() : "";
    return new Response(`${request.method} ${url.pathname} ${body}`, { status: 201, headers: { "x-own": "yes" } });
  },
};
