using System.Net;

namespace Lb.Interop.Tests.Peers;

/// <summary>Databases that keep their data in a peer's home, and listen on 127.0.0.1.</summary>
internal static class Databases
{
    // The newest that is installed: 15 of Debian 12, 17 of Debian 13.
    private const string PostgresVersions = "/usr/lib/postgresql";

    public static readonly (string Program, string Package) NeedsRedis = ("/usr/bin/redis-server", "redis-server");
    public static readonly (string Program, string Package) NeedsMariaDb = ("/usr/sbin/mariadbd", "mariadb-server");

    public static readonly (string Program, string Package)[] NeedsPostgres = [(PostgresVersions, "postgresql"), ("/usr/bin/setpriv", "util-linux")];

    /// <summary>Starts Redis.</summary>
    /// <param name="home">Where its files are.</param>
    /// <param name="endPoint">Where it listens.</param>
    /// <param name="arguments">Settings beside those.</param>
    public static Task<Peer> StartRedisAsync(PeerHome home, IPEndPoint endPoint, params string[] arguments) =>
        Peer.StartAsync(home, endPoint, [NeedsRedis.Program, "--bind", "127.0.0.1", "--port", $"{endPoint.Port}", "--save", "", .. arguments]);

    /// <summary>Starts PostgreSQL; needs root, which starts it as its own user.</summary>
    /// <param name="home">Where its files are; its Unix socket is in <c>pg</c> there.</param>
    /// <param name="endPoint">Where it listens.</param>
    /// <param name="rules">Who may log in from where and how: <c>pg_hba.conf</c>.</param>
    /// <param name="arguments">Settings beside those.</param>
    public static async Task<Peer> StartPostgresAsync(PeerHome home, IPEndPoint endPoint, string rules, params string[] arguments)
    {
        string programs = Path.Combine(Directory.GetDirectories(PostgresVersions).Order(StringComparer.Ordinal).Last(), "bin");
        string data = Path.Combine(home.OpenDirectory("pg"), "data");
        await Peer.RunAsync(home, [$"{programs}/initdb", "-D", data, "-A", "scram-sha-256", "--pwfile=/etc/hostname", "-N"], "postgres");
        string hba = home.Write("pg_hba.conf", rules);
        return await Peer.StartAsync(
            home, endPoint, [$"{programs}/postgres", "-D", data, "-k", home.PathOf("pg"), "-h", "127.0.0.1", "-p", $"{endPoint.Port}", "-c", $"hba_file={hba}", "-c", "fsync=off", .. arguments], "postgres");
    }

    /// <summary>Starts MariaDB; needs root, which it runs as.</summary>
    /// <param name="home">Where its files are.</param>
    /// <param name="endPoint">Where it listens.</param>
    /// <param name="commands">SQL run at its start, a statement in a line.</param>
    /// <param name="arguments">Settings beside those.</param>
    public static async Task<Peer> StartMariaDbAsync(PeerHome home, IPEndPoint endPoint, string commands, params string[] arguments)
    {
        string data = home.PathOf("mariadb");
        await Peer.RunAsync(home, ["/usr/bin/mariadb-install-db", "--no-defaults", $"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db", "--user=root"]);
        string start = home.Write("start.sql", commands);
        return await Peer.StartAsync(
            home,
            endPoint,
            [
                NeedsMariaDb.Program, "--no-defaults", $"--datadir={data}", $"--socket={home.PathOf("mariadb.sock")}", $"--pid-file={home.PathOf("mariadb.pid")}", "--bind-address=127.0.0.1",
                $"--port={endPoint.Port}", "--user=root", "--skip-name-resolve", $"--init-file={start}", .. arguments,
            ]);
    }
}
