using System.Net.Sockets;
using System.Text;
using Lb.Contracts.Checkers;
using Lb.Health;

namespace Lb.Interop.Tests.Health;

/// <summary>One check of one target, as HAProxy is told it and as we are.</summary>
/// <param name="Kind">The check: a key of <see cref="HaproxyKinds.All"/>.</param>
/// <param name="Target">What the target does, in a few words.</param>
/// <param name="Serve">Serves one connection; null when <paramref name="Start"/> is all.</param>
/// <param name="Start">Starts another target than a server.</param>
internal sealed record HaproxyCase(string Kind, string Target, Func<Socket, CancellationToken, Task>? Serve, Func<CancellationToken, Task<ProbeServer>>? Start = null)
{
    /// <summary>When we say something else than HAProxy on purpose: our word and code, and why.</summary>
    public (string Word, int Code, string Why)? Ours { get; init; }

    public string Name => $"{Kind}: {Target}";

    public Task<ProbeServer> StartAsync(CancellationToken ct) => Start is not null ? Start(ct) : Task.FromResult(ProbeServer.Start(Serve!));

    /// <summary>What every check can meet.</summary>
    public static IEnumerable<HaproxyCase> Common(string kind) =>
    [
        new(kind, "refuses", null, static _ => Task.FromResult(ProbeServer.Refusing())),
        new(kind, "drops what comes", null, ProbeServer.BlackHoleAsync),
        new(kind, "is silent", static (_, ct) => Task.Delay(Timeout.Infinite, ct)),
        new HaproxyCase(kind, "closes at once", static (_, _) => Task.CompletedTask).AndCloses(),
    ];

    /// <summary>Speaks first, byte for byte.</summary>
    public static HaproxyCase Greets(string kind, string target, string greeting) =>
        new(kind, target, (socket, ct) => ProbeServer.SendAsync(socket, Encoding.Latin1.GetBytes(greeting), ct));

    /// <summary>Answers what comes, once for each answer, byte for byte.</summary>
    public static HaproxyCase Answers(string kind, string target, params string[] answers) => new(kind, target, async (socket, ct) =>
    {
        byte[] heard = new byte[4096];
        foreach (string answer in answers)
        {
            if (await socket.ReceiveAsync(heard, ct) == 0) return;
            await ProbeServer.SendAsync(socket, Encoding.Latin1.GetBytes(answer), ct);
        }
    });

    /// <summary>Greets, then answers what comes.</summary>
    public static HaproxyCase Talks(string kind, string target, string greeting, params string[] answers) => new(kind, target, async (socket, ct) =>
    {
        await Greets(kind, target, greeting).Serve!(socket, ct);
        await Answers(kind, target, answers).Serve!(socket, ct);
    });

    /// <summary>Reads a request's head, answers and closes.</summary>
    public static HaproxyCase Replies(string kind, string target, string answer) => new(kind, target, ProbeServer.Reply(answer));

    /// <summary>The same, and then its end.</summary>
    public HaproxyCase AndCloses() => this with
    {
        Serve = async (socket, ct) =>
        {
            await Serve!(socket, ct);
            socket.Shutdown(SocketShutdown.Both);
        },
    };

    public HaproxyCase ButWe(string word, int code, string why) => this with { Ours = (word, code, why) };
}

/// <summary>A kind of check, in HAProxy's words and in ours.</summary>
/// <param name="Backend">Lines of its backend.</param>
/// <param name="Server">Words of its server line after <c>check</c>.</param>
/// <param name="Create">Our checker.</param>
internal sealed record HaproxyKind(string Backend, string Server, Func<IHealthChecker> Create);
