using Lb.Testing;

namespace Lb.Tool.Tests;

public sealed class PlayerTests
{
    private static Player Create(string balance, string servers, out ServerPool pool)
    {
        PoolOptions options = new() { Balance = balance };
        foreach (string server in servers.Split(' '))
        {
            string[] parts = server.Split(':');
            options.Servers.Add(new ServerOptions
            {
                Name = parts[0],
                Address = "127.0.0.1:80",
                Weight = parts.Length > 1 ? int.Parse(parts[1]) : 1,
                MaxConnections = parts.Length > 2 ? int.Parse(parts[2]) : 0,
            });
        }

        ManualTimeProvider time = new();
        pool = new ServerPool("web", options, time: time);
        return new Player(pool, time);
    }

    // A golden script: each line with the answer it must get after "=>".
    private static void Golden(string balance, string servers, string script)
    {
        Player player = Create(balance, servers, out _);
        foreach (string line in script.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split("=>", 2, StringSplitOptions.TrimEntries);
            Assert.Equal($"{parts[0]} => {parts[1]}", $"{parts[0]} => {player.Play(parts[0])}");
        }

        Assert.False(player.HasErrors);
    }

    [Fact]
    [Trait("Row", "S2")]
    public void Smooth_weighted_round_robin_of_5_1_1() => Golden("roundrobin", "a:5 b:1 c:1", """
        pick => a
        pick => a
        pick => b
        pick => a
        pick => c
        pick => a
        pick => a
        pick => a
        """);

    [Fact]
    public void Least_connections_follows_the_open_picks() => Golden("leastconn", "a b", """
        pick => a
        pick => b
        end 1 => ok
        pick => a
        end 3 fail => ok
        pick => a
        end 2 ignored latency=20ms => ok
        pick => b
        show => a UP 1 1; b UP 1 1
        """);

    [Fact]
    [Trait("Row", "X7")]
    public void A_pick_is_explained_and_not_made() => Golden("roundrobin", "a:1:1 b:1:1 c", """
        explain => a; among a 1 0, b 1 0, c 1 0; turn 1 of 3
        explain => a; among a 1 0, b 1 0, c 1 0; turn 1 of 3
        pick => a
        down c => ok
        explain => b; among b 1 0; not a: full (1 of 1); not c: DOWN since 2030-01-01 00:00:00Z; turn 2 of 2
        drain b => ok
        explain => - AllFull; not a: full (1 of 1); not b: DRAIN since 2030-01-01 00:00:00Z; not c: DOWN since 2030-01-01 00:00:00Z; every usable server is full or already tried
        maint a => ok
        explain => - NoServer; not a: MAINT since 2030-01-01 00:00:00Z; not b: DRAIN since 2030-01-01 00:00:00Z; not c: DOWN since 2030-01-01 00:00:00Z; no server is usable
        """);

    [Fact]
    [Trait("Row", "H23")]
    [Trait("Row", "X7")]
    public void A_server_that_fails_its_callers_is_shown_as_ejected_and_comes_back() => Golden("first", "a b", """
        pick => a
        pick => a
        pick => a
        pick => a
        pick => a
        end 1 fail => ok
        end 2 fail => ok
        end 3 fail => ok
        end 4 fail => ok
        end 5 fail => ok
        show => a EJECTED 1 0; b UP 1 0
        explain => b; among b 1 0; not a: EJECTED since 2030-01-01 00:00:00Z: ConsecutiveFailures; the first with a free slot
        pick => b
        advance 30s => ok
        show => a UP 1 0; b UP 1 1
        pick => a
        """);

    // sdbm of "/x" and "/y" on a map of three: 0x2f * 65599 + 0x78 and + 0x79, modulo 3.
    [Fact]
    [Trait("Row", "S10")]
    public void Policies_see_the_request() => Golden("uri", "a b c", """
        pick uri=/x => c
        pick uri=/x?q => c
        pick uri=/y => a
        explain uri=/x => c; among a 1 1, b 1 0, c 1 2; hash 2f0c09; the key's slot in the table
        """);

    [Fact]
    [Trait("Row", "H21")]
    public void A_server_that_asks_for_no_new_traffic_gets_none() => Golden("roundrobin", "a b", """
        nolb a => ok
        pick => b
        show => a NOLB 1 0; b UP 1 1
        maint b => ok
        explain => - NoServer; not a: NOLB since 2030-01-01 00:00:00Z; not b: MAINT since 2030-01-01 00:00:00Z; no server is usable
        ready b => ok
        maint a => ok
        show => a MAINT 1 0; b UP 1 1
        ready a => ok
        up a => ok
        show => a UP 1 0; b UP 1 1
        """);

    [Fact]
    [Trait("Row", "P2")]
    public void Health_and_administration_take_servers_out_and_in() => Golden("roundrobin", "a b c", """
        down a => ok
        pick => b
        pick => c
        drain b => ok
        pick => c
        maint c => ok
        pick => - NoServer
        show => a DOWN 1 0; b DRAIN 1 1; c MAINT 1 2
        ready b => ok
        pick => b
        down c => ok
        ready c => ok
        pick => b
        up c => ok
        up a => ok
        show => a UP 1 0; b UP 1 3; c UP 1 2
        """);

    [Fact]
    [Trait("Row", "P1")]
    public void Weight_0_takes_no_balanced_traffic() => Golden("roundrobin", "a b:0", """
        pick => a
        pick => a
        weight b 1 => ok
        weight a 0 => ok
        pick => b
        pick => b
        show => a DRAIN 0 2; b UP 1 2
        weight b 0 => ok
        pick => - NoServer
        """);

    [Fact]
    [Trait("Row", "P16")]
    public void Servers_join_and_leave() => Golden("first", "a", """
        add b 127.0.0.1:81 weight=3 => ok
        show => a UP 1 0; b UP 3 0
        pick => a
        remove a => ok
        pick => b
        show => b UP 3 1
        end 1 => ok
        add a 127.0.0.1:80 => ok
        show => b UP 3 1; a UP 1 0
        remove a => ok
        remove b => ok
        pick => - NoServer
        show =>
        """);

    [Fact]
    public void A_full_pool_says_so() => Golden("roundrobin", "a:1:1 b:1:1", """
        pick => a
        pick => b
        pick => - AllFull
        end 2 => ok
        pick => b
        """);

    [Fact]
    public void Source_hash_depends_on_the_address_only()
    {
        Player player = Create("source", "a b c", out _);
        string first = player.Play("pick src=192.0.2.1:1000");
        Assert.Equal(first, player.Play("pick src=192.0.2.1:2000"));
        string[] names = [.. Enumerable.Range(1, 30).Select(i => player.Play($"pick src=192.0.2.{i}")).Distinct().Order()];
        Assert.Equal(["a", "b", "c"], names);
    }

    [Fact]
    public void Time_is_moved_by_the_script_alone()
    {
        Player player = Create("random", "a:1 b:1", out ServerPool pool);
        DateTimeOffset began = pool.Servers[0].LastChange;
        Assert.Equal("ok", player.Play("advance 5s"));
        player.Play("down a");
        Assert.Equal(TimeSpan.FromSeconds(5), pool.Servers[0].LastChange - began);
        player.Play("advance 100");
        player.Play("up a");
        Assert.Equal(TimeSpan.FromSeconds(5.1), pool.Servers[0].LastChange - began);
    }

    [Fact]
    public void The_latency_of_a_script_is_the_sample_whatever_the_clock_says()
    {
        Player player = Create("roundrobin", "a", out ServerPool pool);
        player.Play("pick");
        player.Play("advance 3s");
        player.Play("end 1 latency=20ms");
        Assert.Equal(TimeSpan.FromMilliseconds(20), pool.Servers[0].AverageLatency);
        Assert.Equal(0, pool.Servers[0].InFlight);
    }

    [Fact]
    public void Endings_are_counted_by_kind()
    {
        Player player = Create("roundrobin", "a", out ServerPool pool);
        for (int i = 0; i < 3; i++) player.Play("pick");
        player.Play("end 1");
        player.Play("end 2 fail");
        player.Play("end 3 ignored");
        Server server = pool.Servers[0];
        Assert.Equal((3, 1, 1, 0), (server.TotalLeases, server.TotalFailures, server.TotalIgnored, server.InFlight));
        Assert.Equal(0, pool.LeaseMisuses);
    }

    [Theory]
    [InlineData("nonsense", "error: 'nonsense' is no command")]
    [InlineData("down x", "error: there is no server 'x' in pool web; there are: a, b")]
    [InlineData("weight x 1", "error: there is no server 'x'")]
    [InlineData("remove x", "error: there is no server 'x'")]
    [InlineData("add A 127.0.0.1:80", "error: there is a server 'A' already")]
    [InlineData("end 4", "error: there is no pick 4; the last one is 3")]
    [InlineData("end 1", "error: pick 1 has ended already")]
    [InlineData("end 3", "error: pick 3 got no server")]
    public void A_bad_line_is_answered_and_the_script_goes_on(string line, string expected)
    {
        Player player = Create("roundrobin", "a b", out ServerPool pool);
        player.Play("pick");
        player.Play("end 1");
        player.Play("pick");
        player.Play("maint a");
        player.Play("maint b");
        player.Play("pick");
        Assert.False(player.HasErrors);
        Assert.StartsWith(expected, player.Play(line));
        Assert.True(player.HasErrors);
        Assert.Equal("a MAINT 1 0; b MAINT 1 1", player.Play("show"));
        Assert.True(player.HasErrors);
        Assert.Equal(0, pool.LeaseMisuses);
    }
}
