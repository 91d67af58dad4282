using System.Net;
using System.Net.Sockets;
using Lb.Health;
using Lb.Interop.Tests.Peers;

namespace Lb.Interop.Tests.Health;

[Trait("Row", "H17")]
public sealed class DatabaseTests
{
    [Fact(Timeout = Ask.Limit)]
    public async Task Redis()
    {
        Peer.Demand(Databases.NeedsRedis, Haproxy.Need);
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer redis = await Databases.StartRedisAsync(home, endPoint, "--unixsocket", home.PathOf("redis.sock"));
        foreach (EndPoint where in (EndPoint[])[endPoint, new UnixDomainSocketEndPoint(home.PathOf("redis.sock"))])
            Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "PONG"), await Ask.UsAsync(new RedisChecker(new CheckOptions()), where));
        Assert.Equal("L7OK", await Ask.HaproxyAsync(endPoint, "option redis-check"));

        // What HAProxy's manual shows for Redis, and the same for us.
        CheckOptions script = new()
        {
            Type = "tcp-script",
            Script =
            {
                new CheckStepOptions { Send = "PING\\r\\n" },
                new CheckStepOptions { Expect = "+PONG" },
                new CheckStepOptions { Send = "info replication\\r\\n" },
                new CheckStepOptions { Expect = "role:master" },
                new CheckStepOptions { Send = "QUIT\\r\\n" },
                new CheckStepOptions { Expect = "+OK" },
            },
        };
        Assert.Equal("L7OK", Ask.Word(await Ask.UsAsync(new ScriptChecker(script), endPoint)));
        Assert.Equal("L7OK", await Ask.HaproxyAsync(
            endPoint,
            "option tcp-check\n  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG\n  tcp-check send info\\ replication\\r\\n\n  tcp-check expect string role:master\n  tcp-check send QUIT\\r\\n\n  tcp-check expect string +OK"));
    }

    [Fact(Timeout = Ask.Limit)]
    public async Task Redis_with_a_password()
    {
        Peer.Demand(Databases.NeedsRedis);
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer redis = await Databases.StartRedisAsync(home, endPoint, "--requirepass", "geheim", "--user", "alice", "on", ">wonder", "+ping");
        ProbeResult result = await Ask.UsAsync(new RedisChecker(new CheckOptions()), endPoint);
        Assert.Equal(CheckStatus.Layer7Status, result.Status);
        Assert.StartsWith("NOAUTH", result.Text, StringComparison.Ordinal);

        CheckOptions options = new() { PasswordFile = home.Write("password", "geheim\n") };
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "PONG"), await Ask.UsAsync(new RedisChecker(options), endPoint));
        options.User = "alice";
        Assert.StartsWith("WRONGPASS", (await Ask.UsAsync(new RedisChecker(options), endPoint)).Text, StringComparison.Ordinal);
        home.Write("password", "wonder\n");
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "PONG"), await Ask.UsAsync(new RedisChecker(options), endPoint));
        home.Write("password", "falsch\n");
        Assert.StartsWith("WRONGPASS", (await Ask.UsAsync(new RedisChecker(options), endPoint)).Text, StringComparison.Ordinal);
    }

    [Fact(Timeout = Ask.Limit)]
    public async Task PostgreSql()
    {
        Peer.Demand([.. Databases.NeedsPostgres, Haproxy.Need]);
        Assert.SkipUnless(Environment.UserName == "root", "PostgreSQL is started as its own user, which needs root");
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer postgres = await Databases.StartPostgresAsync(
            home,
            endPoint,
            "host all postgres 127.0.0.1/32 trust\nhost all nobody 127.0.0.1/32 reject\nhost all md5 127.0.0.1/32 md5\nhost all all 127.0.0.1/32 scram-sha-256\nlocal all all scram-sha-256\n",
            "-c",
            "password_encryption=md5");

        // The port opens before the database is ready; it says so, and the check says it too.
        ProbeResult first;
        do first = await AskAsync("lb", endPoint);
        while (first is { Status: CheckStatus.Layer7Status, Text: ['5', '7', 'P', '0', '3', ..] });
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "SASL"), first);
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "SASL"), await AskAsync("lb", new UnixDomainSocketEndPoint(home.PathOf($"pg/.s.PGSQL.{endPoint.Port}"))));
        Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "MD5 password"), await AskAsync("md5", endPoint));

        // One that lets anybody in waits to be told good-bye; a second check finds it as well as the first.
        for (int i = 0; i < 2; i++) Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "no password needed"), await AskAsync("postgres", endPoint));
        foreach (string user in (string[])["lb", "md5", "postgres"]) Assert.Equal("L7OK", await Ask.HaproxyAsync(endPoint, $"option pgsql-check user {user}"));

        // HAProxy has L7RSP and L7STS the other way round; see HaproxyCases.
        ProbeResult refused = await AskAsync("nobody", endPoint);
        Assert.Equal(CheckStatus.Layer7Status, refused.Status);
        Assert.StartsWith("28000: ", refused.Text, StringComparison.Ordinal);
        Assert.Equal("L7RSP", await Ask.HaproxyAsync(endPoint, "option pgsql-check user nobody"));

        static Task<ProbeResult> AskAsync(string user, EndPoint where) => Ask.UsAsync(new PostgresChecker(new CheckOptions { User = user }), where);
    }

    [Fact(Timeout = Ask.Limit)]
    public async Task MariaDb()
    {
        Peer.Demand(Databases.NeedsMariaDb, Haproxy.Need);
        Assert.SkipUnless(Environment.UserName == "root", "MariaDB is started by root");
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer mariadb = await Databases.StartMariaDbAsync(
            home,
            endPoint,
            "CREATE USER 'lb'@'%';\nCREATE USER 'other'@'%' IDENTIFIED BY 'geheim';\nCREATE USER 'ed'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('geheim');\n",
            "--max-connect-errors=5",
            "--plugin-load-add=auth_ed25519");

        ProbeResult greeted = await AskAsync(null);
        Assert.Equal(CheckStatus.Layer7Ok, greeted.Status);
        Assert.Contains("MariaDB", greeted.Text, StringComparison.Ordinal);
        Assert.Equal("L7OK", await Ask.HaproxyAsync(endPoint, "option mysql-check"));

        // A check with a user resets what the server counts against this host.
        for (int i = 0; i < 20; i++) Assert.Equal(greeted, await AskAsync("lb"));
        Assert.Equal("L7OK", await Ask.HaproxyAsync(endPoint, "option mysql-check user lb"));
        foreach (string user in (string[])["other", "nobody", "ed"])
        {
            ProbeResult refused = await AskAsync(user);
            Assert.Equal((CheckStatus.Layer7Status, 1045), (refused.Status, refused.Code));
            Assert.StartsWith($"Access denied for user '{user}'", refused.Text, StringComparison.Ordinal);
        }

        Task<ProbeResult> AskAsync(string? user) => Ask.UsAsync(new MySqlChecker(new CheckOptions { User = user }), endPoint);
    }

    [Fact(Timeout = Ask.Limit)]
    public async Task A_database_is_not_taken_for_another()
    {
        Peer.Demand(Databases.NeedsRedis);
        using PeerHome home = new();
        IPEndPoint endPoint = Ports.Next();
        await using Peer redis = await Databases.StartRedisAsync(home, endPoint);
        foreach (IHealthChecker checker in (IHealthChecker[])[new HttpChecker(new CheckOptions()), new GrpcChecker(new CheckOptions())])
            Assert.Equal("L7RSP", Ask.Word(await Ask.UsAsync(checker, endPoint)));
    }
}
