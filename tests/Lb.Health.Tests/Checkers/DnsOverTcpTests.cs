using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

/// <summary>Questions over TCP, asked for or because an answer was cut off.</summary>
[Trait("Row", "H13")]
public sealed class DnsOverTcpTests
{
    private const int Limit = 60_000;
    private const string Record = "c00c 0001 0001 0000003c 0004 c0000201";
    private static readonly CheckDnsOptions Question = new() { Name = "www.example", Type = "A", Answer = "192.0.2.1" };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory(Timeout = Limit)]
    [InlineData("answer", CheckStatus.Layer7Ok, 0, "NOERROR")]
    [InlineData("servfail", CheckStatus.Layer7Status, 2, "SERVFAIL, not NOERROR")]
    [InlineData("half", CheckStatus.Layer7Response, 0, "no whole answer")]
    [InlineData("nothing", CheckStatus.Layer7Response, 0, "no whole answer")]
    [InlineData("another", CheckStatus.Layer7Response, 0, "answer to another question")]
    [InlineData("empty", CheckStatus.Layer7Response, 0, "answer to another question")]
    public async Task A_message_has_its_length_before_it(string how, CheckStatus status, int code, string text)
    {
        await using ProbeServer server = ProbeServer.Start((socket, ct) => ServeAsync(socket, how, ct));
        Assert.Equal(new ProbeResult(status, code, text), await Checker(tcp: true).CheckAsync(Target(server.EndPoint), Ct));
    }

    [Fact(Timeout = Limit)]
    public async Task An_answer_that_was_cut_off_is_asked_for_over_tcp()
    {
        await using ProbeServer tcp = ProbeServer.Start((socket, ct) => ServeAsync(socket, "answer", ct));
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "NOERROR"), await OverUdpAsync((IPEndPoint)tcp.EndPoint, Cut));
    }

    [Fact(Timeout = Limit)]
    public async Task Where_nobody_listens_the_answer_that_was_cut_off_stands()
    {
        await using ProbeServer nobody = ProbeServer.Refusing();
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Status, 0, "no record is the one expected in an answer that was cut off"), await OverUdpAsync((IPEndPoint)nobody.EndPoint, Cut));
    }

    [Fact(Timeout = Limit)]
    public async Task An_answer_that_was_cut_off_and_says_enough_passes_without_tcp()
    {
        await using ProbeServer nobody = ProbeServer.Refusing();
        ProbeResult result = await OverUdpAsync((IPEndPoint)nobody.EndPoint, static query => Answer(query, 0x8380, Record));
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "NOERROR"), result);
    }

    private static byte[] Cut(byte[] query) => Answer(query, 0x8380);

    private static async Task<ProbeResult> OverUdpAsync(IPEndPoint place, Func<byte[], byte[]> answer)
    {
        // The same number of a port for datagrams; another test may have it, then there is nothing to be seen.
        using Socket server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(place);
        Task<ProbeResult> check = Checker(tcp: false).CheckAsync(Target(place), Ct).AsTask();
        byte[] buffer = new byte[512];
        SocketReceiveFromResult received = await server.ReceiveFromAsync(buffer.AsMemory(), new IPEndPoint(IPAddress.Any, 0), Ct);
        await server.SendToAsync(answer(buffer[..received.ReceivedBytes]).AsMemory(), received.RemoteEndPoint, Ct);
        return await check;
    }

    private static async Task ServeAsync(Socket socket, string how, CancellationToken ct)
    {
        byte[] length = await Scripted.BytesAsync(socket, 2, ct);
        byte[] query = await Scripted.BytesAsync(socket, BinaryPrimitives.ReadUInt16BigEndian(length), ct);
        byte[] answer = how switch
        {
            "servfail" => Answer(query, 0x8182),
            "another" => [(byte)~query[0], .. Answer(query, 0x8180)[1..]],
            "empty" => [],
            _ => Answer(query, 0x8180, Record),
        };
        byte[] whole = [(byte)(answer.Length >> 8), (byte)answer.Length, .. answer];
        ReadOnlyMemory<byte> rest = how == "nothing" ? default : how == "half" ? whole.AsMemory(0, 9) : whole;

        // In two pieces: a reader must not take the first for all of it.
        for (int size = 1; !rest.IsEmpty; size = rest.Length)
        {
            await socket.SendAsync(rest[..size], ct);
            rest = rest[size..];
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static byte[] Answer(byte[] query, ushort flags, params string[] records) =>
    [
        query[0], query[1], (byte)(flags >> 8), (byte)flags, 0, 1, 0, (byte)records.Length, 0, 0, 0, 0, .. query[12..],
        .. records.SelectMany(static r => Convert.FromHexString(r.Replace(" ", "", StringComparison.Ordinal))),
    ];

    private static DnsChecker Checker(bool tcp) =>
        new(new CheckOptions { Type = "dns", Dns = new CheckDnsOptions { Name = Question.Name, Type = Question.Type, Answer = Question.Answer, Tcp = tcp } });

    private static ProbeTarget Target(EndPoint endPoint) => new("s1", endPoint, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
}
