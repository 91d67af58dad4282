using System.Diagnostics;
using System.Net.Sockets;
using Lb.Contracts.Checkers;

namespace Lb.Health.Tests.Checkers;

[Trait("Row", "H17")]
public sealed class PostgresCheckerTests : HealthCheckerContract
{
    // PostgreSQL, "Message Formats": StartupMessage, version 3.0, of user "lb".
    private static readonly byte[] StartUp = [0, 0, 0, 17, 0, 3, 0, 0, .. "user\0lb\0\0"u8];

    protected override IHealthChecker Create(TimeProvider time) => new PostgresChecker(new CheckOptions { User = "lb" }, time);

    protected override Task ServeWellAsync(Socket socket, CancellationToken ct) => AnswerAsync(socket, "R\0\0\0\x0c\0\0\0\x05salt", ct);

    [Theory(Timeout = Limit)]
    [InlineData("R\0\0\0\x08\0\0\0\x03", CheckStatus.Layer7Ok, "clear-text password")]
    [InlineData("R\0\0\0\x0c\0\0\0\x05salt", CheckStatus.Layer7Ok, "MD5 password")]
    [InlineData("R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", CheckStatus.Layer7Ok, "SASL")]
    [InlineData("R\0\0\0\x08\0\0\0\0", CheckStatus.Layer7Ok, "no password needed")]
    [InlineData("R\0\0\0\x08\0\0\0\x63", CheckStatus.Layer7Response, "unknown way to log in 99")]
    [InlineData("E\0\0\0\x1eSFATAL\0C57P03\0Mstarting\0\0\0", CheckStatus.Layer7Status, "57P03: starting")]
    [InlineData("E\0\0\0\x08\0\0\0\0", CheckStatus.Layer7Status, "an error without a text")]
    [InlineData("R\0\0\0\x08\0\0", CheckStatus.Layer7Response, "closed within the answer")]
    [InlineData("R\0\0", CheckStatus.Layer7Response, "closed without an answer")]
    [InlineData("", CheckStatus.Layer7Response, "closed without an answer")]
    [InlineData("R\x7f\0\0\x08\0\0\0\0", CheckStatus.Layer7Response, "not PostgreSQL")]
    [InlineData("R\0\0\0\x04", CheckStatus.Layer7Response, "not PostgreSQL")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", CheckStatus.Layer7Response, "not PostgreSQL")]
    public async Task Judges_by_the_first_message(string answer, CheckStatus status, string text)
    {
        Assert.Equal(new ProbeResult(status, 0, text), await Scripted.CheckAsync(Create(TimeProvider.System), (s, ct) => AnswerAsync(s, answer, ct), Ct));
    }

    [Fact]
    public void Needs_a_user() => Assert.Contains("User", Assert.Throws<ArgumentException>(() => new PostgresChecker(new CheckOptions())).Message, StringComparison.Ordinal);

    [Fact]
    public void Lives_through_any_bytes()
    {
        foreach (byte[] junk in Scripted.Junk(4000, "SFATAL\0C57P03\0Mx\0\0"u8.ToArray(), [(byte)'R', 0, 0, 0, 8, 0, 0, 0, 0]))
        {
            PostgresWire.JudgeError(junk);
            if (junk.Length >= 5) _ = PostgresWire.TryParseHeader(junk, out _, out _);
            if (junk.Length >= 4) PostgresWire.JudgeLogin(junk);
        }
    }

    [Fact(Timeout = 2 * Limit)]
    public async Task A_real_server_is_well()
    {
        // The newest that is installed: 15 of Debian 12, 17 of Debian 13.
        const string Versions = "/usr/lib/postgresql";
        string programs = Path.Combine(Directory.Exists(Versions) ? Directory.GetDirectories(Versions).Order(StringComparer.Ordinal).LastOrDefault(Versions) : Versions, "bin/");
        Assert.SkipUnless(File.Exists(programs + "postgres") && File.Exists("/usr/bin/setpriv") && Environment.UserName == "root", "needs PostgreSQL, setpriv and root, which starts it as its user");
        DirectoryInfo directory = Directory.CreateTempSubdirectory("lb-pg-");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(directory.FullName, (UnixFileMode)0b111_111_111);
        string[] asUser = ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"];
        string data = Path.Combine(directory.FullName, "data");
        using Process init = Process.Start(Start([.. asUser, programs + "initdb", "-D", data, "-A", "scram-sha-256", "--pwfile=/etc/hostname", "-N"]))!;
        await init.StandardOutput.ReadToEndAsync(Ct);
        await init.WaitForExitAsync(Ct);
        using Process postgres = Process.Start(Start([.. asUser, programs + "postgres", "-D", data, "-k", directory.FullName, "-c", "listen_addresses="]))!;
        try
        {
            while (await postgres.StandardError.ReadLineAsync(Ct) is { } line && !line.Contains("ready to accept connections", StringComparison.Ordinal))
            {
                // It says when it is ready.
            }

            ProbeTarget target = Target(new UnixDomainSocketEndPoint(Path.Combine(directory.FullName, ".s.PGSQL.5432")));
            Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "SASL"), await Create(TimeProvider.System).CheckAsync(target, Ct));

            // One that lets anybody in waits to be told good-bye; a second check finds it as well as the first.
            await File.WriteAllTextAsync(Path.Combine(data, "pg_hba.conf"), "local all postgres trust\nlocal all nobody reject\n", Ct);
            Process.Start(Start([.. asUser, programs + "pg_ctl", "-D", data, "reload"]))!.WaitForExit();
            IHealthChecker admitted = new PostgresChecker(new CheckOptions { User = "postgres" });
            IHealthChecker refused = new PostgresChecker(new CheckOptions { User = "nobody" });
            ProbeResult result;
            do result = await refused.CheckAsync(target, Ct);
            while (result.Passed);
            Assert.Equal(CheckStatus.Layer7Status, result.Status);
            Assert.StartsWith("28000: ", result.Text, StringComparison.Ordinal);
            for (int i = 0; i < 2; i++) Assert.Equal(new ProbeResult(CheckStatus.Layer7Ok, 0, "no password needed"), await admitted.CheckAsync(target, Ct));
        }
        finally
        {
            postgres.Kill();
            await postgres.WaitForExitAsync(CancellationToken.None);
            directory.Delete(recursive: true);
        }
    }

    private static ProcessStartInfo Start(string[] arguments) =>
        new("/usr/bin/setpriv", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };

    private static async Task AnswerAsync(Socket socket, string answer, CancellationToken ct)
    {
        byte[] got = await Scripted.BytesAsync(socket, StartUp.Length, ct);
        if (got.AsSpan().SequenceEqual(StartUp)) await Scripted.SendAsync(socket, answer, ct);
        socket.Shutdown(SocketShutdown.Send);
    }
}
