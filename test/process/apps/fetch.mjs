export default {
  async fetch(request) {
    const body = request.method === "POST" ? await request.text() : "";
    return new Response(`${request.method} ${new URL(request.url).pathname} ${body.length}`, {
      status: 201,
      headers: { "x-form": "fetch" },
    });
  },
};
