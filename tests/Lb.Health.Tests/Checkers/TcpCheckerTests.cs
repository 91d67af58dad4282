using System.Net;
using System.Net.Sockets;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H5")]
public sealed class TcpCheckerTests : HealthCheckerContract
{
    protected override IHealthChecker Create(TimeProvider time) => new TcpChecker(time);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) => Task.CompletedTask;

    [Fact(Timeout = Limit)]
    public async Task Passes_with_L4OK_and_closes_with_a_reset()
    {
        TaskCompletionSource<SocketError> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ProbeServer server = ProbeServer.Start(async (socket, ct) =>
        {
            try
            {
                await socket.ReceiveAsync(new byte[1].AsMemory(), ct);
                end.SetResult(SocketError.Success);
            }
            catch (SocketException error)
            {
                end.SetResult(error.SocketErrorCode);
            }
        });
        Assert.Equal(new ProbeResult(CheckStatus.Layer4Ok), await new TcpChecker().CheckAsync(Target(server.EndPoint), Ct));
        Assert.Equal(SocketError.ConnectionReset, await end.Task);
    }

    [Theory]
    [InlineData(SocketError.ConnectionRefused, CheckStatus.Layer4Connection)]
    [InlineData(SocketError.HostUnreachable, CheckStatus.Layer4Connection)]
    [InlineData(SocketError.NetworkUnreachable, CheckStatus.Layer4Connection)]
    [InlineData(SocketError.ConnectionReset, CheckStatus.Layer4Connection)]
    [InlineData(SocketError.TimedOut, CheckStatus.Layer4Timeout)]
    [InlineData(SocketError.TooManyOpenSockets, CheckStatus.SocketError)]
    [InlineData(SocketError.AccessDenied, CheckStatus.SocketError)]
    [InlineData(SocketError.AddressNotAvailable, CheckStatus.SocketError)]
    [InlineData(SocketError.HostNotFound, CheckStatus.Layer4Connection)]
    [InlineData(SocketError.ProtocolNotSupported, CheckStatus.SocketError)]
    public void Tells_the_servers_faults_from_our_own(SocketError error, CheckStatus expected)
    {
        ProbeResult result = ProbeSocket.Explain(error, new IPEndPoint(IPAddress.Loopback, 1));
        Assert.Equal(expected, result.Status);
        Assert.NotEmpty(result.Text);
        Assert.False(result.Passed);
    }
}
