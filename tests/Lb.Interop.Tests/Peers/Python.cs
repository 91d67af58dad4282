using System.Net;

namespace Lb.Interop.Tests.Peers;

/// <summary>Servers of Debian's Python.</summary>
internal static class Python
{
    private const string Program = "/usr/bin/python3";
    private const string Modules = "/usr/lib/python3/dist-packages";

    public static readonly (string Program, string Package)[] NeedsSmtp = [(Program, "python3"), ($"{Modules}/aiosmtpd", "python3-aiosmtpd")];
    public static readonly (string Program, string Package)[] NeedsGrpc = [(Program, "python3"), ($"{Modules}/grpc", "python3-grpcio")];

    /// <summary>Starts a mail server, aiosmtpd.</summary>
    /// <param name="home">Where its files are.</param>
    /// <param name="endPoint">Where it listens.</param>
    /// <param name="handler">Its handler: a Python class of that name with its methods.</param>
    public static Task<Peer> StartSmtpAsync(PeerHome home, IPEndPoint endPoint, string handler) => Peer.StartAsync(
        home,
        endPoint,
        [
            Program,
            home.Write("smtpd.py",
                $"""
                import asyncio
                from aiosmtpd.smtp import SMTP

                {handler}

                async def main():
                    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Handler(), hostname='mail.example'), '127.0.0.1', {endPoint.Port})
                    await server.serve_forever()

                asyncio.run(main())

                """),
        ]);

    /// <summary>Starts a gRPC server with the service <c>grpc.health.v1.Health</c>: <c>well</c> and the server itself serve, <c>ill</c> does not, others are not known.</summary>
    /// <param name="home">Where its files are.</param>
    /// <param name="endPoint">Where it listens.</param>
    /// <param name="method">The method it has: <c>Check</c>, or another, and then it lacks that.</param>
    public static Task<Peer> StartGrpcAsync(PeerHome home, IPEndPoint endPoint, string method = "Check") => Peer.StartAsync(
        home,
        endPoint,
        [
            // Messages as bytes: a string in field 1 asks, an enum in field 1 answers (grpc/health/v1/health.proto).
            Program,
            home.Write("grpcd.py",
                $$"""
                from concurrent import futures
                import grpc

                def check(request, context):
                    service = request[2:].decode() if request[:1] == b'\x0a' else ''
                    if service in ('', 'well'): return b'\x08\x01'
                    if service == 'ill': return b'\x08\x02'
                    context.abort(grpc.StatusCode.NOT_FOUND, 'unknown service')

                server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
                server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler('grpc.health.v1.Health', {'{{method}}': grpc.unary_unary_rpc_method_handler(check)}),))
                assert server.add_insecure_port('127.0.0.1:{{endPoint.Port}}') == {{endPoint.Port}}
                server.start()
                server.wait_for_termination()

                """),
        ]);
}
