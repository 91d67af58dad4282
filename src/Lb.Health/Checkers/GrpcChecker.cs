using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Lb.Health;

/// <summary>
/// Passes when a gRPC server says SERVING to <c>grpc.health.v1.Health/Check</c>, over HTTP/2 in clear text on a connection of its own; works over Unix
/// sockets too.
/// </summary>
/// <remarks>
/// <para>Results: L7OK; L7STS = another state (NOT_SERVING, UNKNOWN), a gRPC status other than OK with its code (5 = the service is not known, 12 = there
/// is no health service), or an HTTP status other than 200 with its code; L7RSP = no HTTP/2, or no gRPC, or cut off; L7TOUT = no whole answer in time;
/// L4CON, L4TOUT and SOCKERR as in <see cref="TcpChecker"/>. Any thread.</para>
/// <para>At most 16 KiB of headers and 4 KiB of the message are read.</para>
/// </remarks>
public sealed class GrpcChecker : IHealthChecker
{
    private readonly TimeProvider _time;
    private readonly byte[] _request;
    private readonly string? _host;

    /// <summary>Makes a checker from the grpc keys of <paramref name="options"/>, which are read once.</summary>
    /// <param name="options">Service and Host.</param>
    /// <param name="time">Clock of the stages' time-outs; default <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentException">A value can't be sent.</exception>
    public GrpcChecker(CheckOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ServiceCheckRules.Demand("grpc", options);
        _time = time ?? TimeProvider.System;
        _request = GrpcHealth.Request(options.Service);
        _host = options.Host;
    }

    /// <inheritdoc/>
    public async ValueTask<ProbeResult> CheckAsync(ProbeTarget target, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);

        // Connected here and not by the handler: that one goes on connecting for later requests when this one has given up.
        (Socket? socket, ProbeResult failure) = await ProbeSocket.ConnectAsync(target, _time, ct).ConfigureAwait(false);
        if (socket is null) return failure;
        using (socket)
        using (FairTimeout? limit = target.AnswerTimeout is { } answer ? new FairTimeout(answer, _time, ct) : null)
        {
            try
            {
                return await AskAsync(socket, target, limit?.Token ?? ct).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return new ProbeResult(CheckStatus.Layer7Timeout, 0, "no whole answer in time");
            }
            catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
            {
                return ProbeExchange.Junk(error is HttpRequestException { HttpRequestError: HttpRequestError.HttpProtocolError } ? "broken HTTP/2" : "no HTTP/2, or cut off");
            }
        }
    }

    private async ValueTask<ProbeResult> AskAsync(Socket socket, ProbeTarget target, CancellationToken ct)
    {
        int connections = 0;
        using SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            MaxResponseHeadersLength = 16,
            ActivityHeadersPropagator = null,

            // One connection; a second attempt of the handler's own would be another check.
            ConnectCallback = (_, _) => connections++ == 0
                ? ValueTask.FromResult<Stream>(new NetworkStream(socket, ownsSocket: false))
                : ValueTask.FromException<Stream>(new IOException("one connection only")),
        };
        using HttpMessageInvoker client = new(handler);
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri("http://check" + GrpcHealth.Path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(_request),
        };
        request.Headers.Host = _host ?? target.HostHeader;
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.TryAddWithoutValidation("User-Agent", "Lb.Health");
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

        using HttpResponseMessage response = await client.SendAsync(request, ct).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK) return new ProbeResult(CheckStatus.Layer7Status, (int)response.StatusCode, $"HTTP status {(int)response.StatusCode}");
        if (response.Content.Headers.ContentType?.MediaType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true) return ProbeExchange.Junk("not gRPC");

        byte[] body = new byte[GrpcHealth.LongestAnswer + 1];
        int length;
        Stream stream = await response.Content.ReadAsStreamAsync(ct).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
            length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, ct).ConfigureAwait(false);
        if (length > GrpcHealth.LongestAnswer) return ProbeExchange.Junk("a message of more than 4 KiB");

        // An answer without a message has its status in the headers.
        string? status = First(response.TrailingHeaders, "grpc-status") ?? First(response.Headers, "grpc-status");
        return status == "0"
            ? GrpcHealth.Judge(body.AsSpan(0, length))
            : GrpcHealth.JudgeStatus(status, First(response.TrailingHeaders, "grpc-message") ?? First(response.Headers, "grpc-message"));
    }

    private static string? First(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
}
