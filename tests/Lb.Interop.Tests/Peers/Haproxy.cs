using System.Net.Sockets;
using System.Text;

namespace Lb.Interop.Tests.Peers;

/// <summary>HAProxy, and what it says on its statistics socket.</summary>
internal sealed class Haproxy : IAsyncDisposable
{
    public static readonly (string Program, string Package) Need = ("/usr/sbin/haproxy", "haproxy");

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
        return ReadTable(lines[0], lines[1..], ',', "pxname", "svname");
    }

    /// <summary>The rows of <c>show servers state</c> by <c>backend/server</c>, each by the names of the columns.</summary>
    public async Task<Dictionary<string, Dictionary<string, string>>> ServersStateAsync(CancellationToken ct)
    {
        // The first line is the format's number.
        string[] lines = (await TellAsync("show servers state", ct)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return ReadTable(lines[1], lines[2..], ' ', "be_name", "srv_name");
    }

    public ValueTask DisposeAsync() => _peer.DisposeAsync();

    private static Dictionary<string, Dictionary<string, string>> ReadTable(string head, string[] lines, char separator, string pool, string server)
    {
        string[] columns = head.TrimStart('#', ' ').Split(separator);
        Dictionary<string, Dictionary<string, string>> table = [];
        foreach (string line in lines)
        {
            Dictionary<string, string> row = [];
            foreach ((string column, string value) in columns.Zip(Split(line, separator))) row[column] = value;
            table[$"{row[pool]}/{row[server]}"] = row;
        }

        return table;
    }

    // A field with a separator in it stands between quotes.
    private static List<string> Split(string line, char separator)
    {
        List<string> fields = [];
        StringBuilder field = new();
        bool quoted = false;
        foreach (char c in line)
        {
            if (c == '"') quoted = !quoted;
            else if (c != separator || quoted) field.Append(c);
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
