using System.Net.Security;
using Lb.Contracts.Drivers;

namespace Lb.Transport.Tests.Tls;

/// <summary>What an established TLS connection costs.</summary>
[Collection(Alone.Name)]
[Trait("Row", "C1")]
public sealed class TlsCostTests
{
    private const int Limit = 120_000;

    [Theory(Timeout = Limit)]
    [InlineData(200)]
    [InlineData(40_000)]
    public async Task A_message_and_its_answer_allocate_nothing_on_the_loop(int size)
    {
        await using TlsLab lab = new("epoll");
        Recorder start = new();
        (TlsConnection connection, SslStream peer, _) = await lab.PairAsync(start);
        await lab.Host.On(() => connection.Handler = Echo.Instance);
        byte[] message = TlsLab.Pattern(size), got = new byte[size];
        for (int i = 0; i < 500; i++) await RoundTripAsync();
        long before = await lab.Host.On(GC.GetAllocatedBytesForCurrentThread);
        for (int i = 0; i < 2_000; i++) await RoundTripAsync();
        long after = await lab.Host.On(GC.GetAllocatedBytesForCurrentThread);

        // Asking costs a little itself; a single byte for each message would be more.
        Assert.InRange(after - before, 0, 2_000);
        Assert.Equal(message, got);

        async Task RoundTripAsync()
        {
            await peer.WriteAsync(message);
            await peer.ReadExactlyAsync(got);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Many_idle_connections_that_speak_in_turn_allocate_nothing_per_message()
    {
        await using TlsLab lab = new("epoll");
        TlsServer role = lab.Server();
        List<SslStream> peers = [];
        byte[] message = new byte[100];
        for (int i = 0; i < 50; i++)
        {
            (TlsConnection connection, SslStream peer, _) = await lab.PairAsync(new Recorder(), role);
            await lab.Host.On(() => connection.Handler = Echo.Instance);
            peers.Add(peer);
        }

        for (int i = 0; i < 20; i++) await RoundTripsAsync();
        long before = await lab.Host.On(GC.GetAllocatedBytesForCurrentThread);
        for (int i = 0; i < 40; i++) await RoundTripsAsync();
        long after = await lab.Host.On(GC.GetAllocatedBytesForCurrentThread);

        Assert.InRange(after - before, 0, 2_000);

        async Task RoundTripsAsync()
        {
            foreach (SslStream peer in peers)
            {
                await peer.WriteAsync(message);
                await peer.ReadExactlyAsync(message);
            }
        }
    }

    [Fact(Timeout = Limit)]
    public async Task An_idle_connection_holds_no_buffer()
    {
        // SslStream's own buffer for records has 32 KiB; with it, or with one of ours, a connection could not stay below this.
        const int Count = 200, Most = 16 * 1024;
        await using TlsLab lab = new("epoll");
        TlsServer role = lab.Server();
        byte[] message = TlsLab.Pattern(20_000);
        for (int i = 0; i < 20; i++) await OpenAsync();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < Count; i++) await OpenAsync();
        long each = (GC.GetTotalMemory(forceFullCollection: true) - before) / Count;
        TestContext.Current.TestOutputHelper!.WriteLine($"{each} bytes for an idle connection, with its client's end");

        Assert.InRange(each, 1, Most);

        async Task OpenAsync()
        {
            (TlsConnection connection, SslStream peer, _) = await lab.PairAsync(new Recorder(), role);
            await lab.Host.On(() => connection.Handler = Echo.Instance);
            byte[] got = new byte[message.Length];
            await peer.WriteAsync(message);
            await peer.ReadExactlyAsync(got);
        }
    }
}
