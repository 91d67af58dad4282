using System.Net.Sockets;
using System.Text;

namespace Lb.Interop.Tests.Peers;

/// <summary>HAProxy, and what it says on its statistics socket.</summary>
internal sealed class Haproxy : IAsyncDisposable
{
    public static readonly (string Program, string Package) Need = ("/usr/sbin/haproxy", "haproxy");

    // It tells nobody when a check has ended; one has to ask again.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Peer _peer;
    private readonly UnixDomainSocketEndPoint _stats;

    private Haproxy(Peer peer, UnixDomainSocketEndPoint stats)
    {
        _peer = peer;
        _stats = stats;
    }

    /// <summary>Starts it.</summary>
    /// <param name="home">Where its files are.</param>
    /// <param name="sections">Its configuration after <c>global</c>.</param>
    public static async Task<Haproxy> StartAsync(PeerHome home, string sections)
    {
        UnixDomainSocketEndPoint stats = new(home.PathOf("haproxy.sock"));
        string configuration = home.Write("haproxy.cfg", $"global\n  stats socket {home.PathOf("haproxy.sock")} level admin\n  nbthread 1\n\n{sections}\n");
        return new Haproxy(await Peer.StartAsync(home, stats, [Need.Program, "-db", "-f", configuration]), stats);
    }

    /// <summary>Gives a command.</summary>
    public async Task<string> TellAsync(string command, CancellationToken ct)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(_stats, ct);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"{command}\n"), ct);
        await using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(ct);
    }

    /// <summary>The rows of <c>show stat</c> by <c>backend/server</c>, each by the names of the columns.</summary>
    public async Task<Dictionary<string, Dictionary<string, string>>> StatsAsync(CancellationToken ct)
    {
        string[] lines = (await TellAsync("show stat", ct)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] columns = lines[0].TrimStart('#', ' ').Split(',');
        Dictionary<string, Dictionary<string, string>> table = [];
        foreach (string line in lines[1..])
        {
            Dictionary<string, string> row = [];
            foreach ((string column, string value) in columns.Zip(Split(line))) row[column] = value;
            table[$"{row["pxname"]}/{row["svname"]}"] = row;
        }

        return table;
    }

    /// <summary>Waits until every server was checked once.</summary>
    /// <returns>The rows of <c>show stat</c>; a check that runs again is known by its last result.</returns>
    public async Task<Dictionary<string, Dictionary<string, string>>> WhenCheckedAsync(CancellationToken ct)
    {
        while (true)
        {
            Dictionary<string, Dictionary<string, string>> stats = await StatsAsync(ct);
            foreach (Dictionary<string, string> row in stats.Values) row["check_status"] = row["check_status"].TrimStart('*', ' ');
            if (stats.Values.All(static r => r["svname"] is "FRONTEND" or "BACKEND" || r["check_status"] is not ("" or "INI" or "UNK"))) return stats;
            await Task.Delay(Pause, ct);
        }
    }

    public ValueTask DisposeAsync() => _peer.DisposeAsync();

    // A field with a comma in it stands between quotes.
    private static List<string> Split(string line)
    {
        List<string> fields = [];
        StringBuilder field = new();
        bool quoted = false;
        foreach (char c in line)
        {
            if (c == '"') quoted = !quoted;
            else if (c != ',' || quoted) field.Append(c);
            else
            {
                fields.Add(field.ToString());
                field.Clear();
            }
        }

        fields.Add(field.ToString());
        return fields;
    }
}
