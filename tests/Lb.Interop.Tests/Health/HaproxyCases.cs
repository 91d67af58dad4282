using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Lb.Contracts.Checkers;

namespace Lb.Interop.Tests.Health;

/// <summary>The table: every kind of check against targets that are good, wrong, silent and away.</summary>
internal static class HaproxyCases
{
    private const string Well = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\nX-State: well\r\n\r\nall is well";
    private const string Garbage = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";

    // Why we say something else on purpose.
    private const string AtOnce = "HAProxy waits for more, to the time-out; what was said decides already, and we tell it";
    private const string ByQuit = "HAProxy tells the code of the answer to QUIT, which decides nothing";
    private const string Content = "HAProxy has L7RSP and no code for contents; to us the answer is good HTTP that says something else, and its code is known";
    private const string Lines = "HAProxy takes no greeting of several lines, which RFC 5321, 4.2 allows";
    private const string Means = "L7STS is an answer that says no, L7RSP is none of the protocol: HAProxy's manual says so too, its pgsql check has them the other way round";

    public static IReadOnlyList<HaproxyCase> All { get; } =
    [
        .. HaproxyKinds.All.Keys.SelectMany(HaproxyCase.Common)
            .Select(static c => c.Name == "redis: closes at once" ? c.ButWe("L7RSP", 0, "nothing said is no status") : c),
        .. Http(),
        .. Expectations(),
        .. Tls(),
        .. Databases(),
        .. Talkers(),
    ];

    private static IEnumerable<HaproxyCase> Http() =>
    [
        HaproxyCase.Replies("http", "200", Well),
        HaproxyCase.Replies("http", "204", "HTTP/1.1 204 No Content\r\n\r\n"),
        HaproxyCase.Replies("http", "302", "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"),
        HaproxyCase.Replies("http", "399", "HTTP/1.1 399 Odd\r\nContent-Length: 0\r\n\r\n"),
        HaproxyCase.Replies("http", "404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        HaproxyCase.Replies("http", "500", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
        HaproxyCase.Replies("http", "503 of HTTP/1.0", "HTTP/1.0 503 Service Unavailable\r\n\r\nno"),
        HaproxyCase.Replies("http", "garbage", Garbage),
        HaproxyCase.Replies("http", "half a head", "HTTP/1.1 200 OK\r\nContent-"),
    ];

    private static IEnumerable<HaproxyCase> Expectations() =>
    [
        HaproxyCase.Replies("http expect status", "404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        HaproxyCase.Replies("http expect status", "200", Well),
        HaproxyCase.Replies("http expect ! status", "404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        HaproxyCase.Replies("http expect ! status", "200", Well),
        HaproxyCase.Replies("http expect rstatus", "503", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"),
        HaproxyCase.Replies("http expect rstatus", "502", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
        HaproxyCase.Replies("http expect string", "has it", Well),
        HaproxyCase.Replies("http expect string", "has another", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nso, so.").ButWe("L7STS", 200, Content),
        HaproxyCase.Replies("http expect string", "has it with a 500", "HTTP/1.1 500 Oh\r\nContent-Length: 11\r\n\r\nall is well"),
        HaproxyCase.Replies("http expect string", "has no body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").ButWe("L7STS", 200, Content),
        HaproxyCase.Replies("http expect string", "has it in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nall is\r\n5\r\n well\r\n0\r\n\r\n"),
        HaproxyCase.Replies("http expect ! string", "has it", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nSQL Error!").ButWe("L7STS", 200, Content),
        HaproxyCase.Replies("http expect ! string", "has it not", Well),
        HaproxyCase.Replies("http expect rstring", "matches", Well),
        HaproxyCase.Replies("http expect rstring", "does not match", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwall is well?"),
        HaproxyCase.Replies("http expect hdr", "has it", Well),
        HaproxyCase.Replies("http expect hdr", "has another value", "HTTP/1.1 200 OK\r\nX-State: ill\r\nContent-Length: 0\r\n\r\n"),
        HaproxyCase.Replies("http expect hdr", "has it not", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ];

    private static IEnumerable<HaproxyCase> Tls()
    {
        foreach (string kind in (string[])["tls", "https"])
        {
            yield return Shows(kind, "is good", Certificates.One.Good);
            yield return Shows(kind, "is of an unknown authority", Certificates.One.Make(selfSigned: true));
            yield return Shows(kind, "has expired", Certificates.One.Make(end: new DateTimeOffset(2021, 1, 1, 0, 0, 0, TimeSpan.Zero)));
            yield return Shows(kind, "is not valid yet", Certificates.One.Make(begin: new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero)));
            yield return Shows(kind, "is another's", Certificates.One.Make("other.example"));
            yield return HaproxyCase.Answers(kind, "speaks no TLS", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            yield return HaproxyCase.Greets(kind, "greets in plain text", Garbage);
        }
    }

    private static HaproxyCase Shows(string kind, string target, X509Certificate2 certificate) =>
        new(kind, $"certificate {target}", Certificates.Serve(
            new SslServerAuthenticationOptions { ServerCertificate = certificate },
            async (stream, ct) =>
            {
                await stream.ReadAtLeastAsync(new byte[4], 4, throwOnEndOfStream: false, ct);
                if (kind == "https") await stream.WriteAsync(Encoding.ASCII.GetBytes(Well), ct);
            }));

    private static IEnumerable<HaproxyCase> Databases() =>
    [
        HaproxyCase.Answers("redis", "is well", "+PONG\r\n"),
        HaproxyCase.Answers("redis", "wants a password", "-NOAUTH Authentication required.\r\n").ButWe("L7STS", 0, AtOnce),
        HaproxyCase.Answers("redis", "wants a password and closes", "-NOAUTH Authentication required.\r\n").AndCloses(),
        HaproxyCase.Answers("redis", "is loading", "-LOADING Redis is loading the dataset in memory\r\n").ButWe("L7STS", 0, AtOnce),
        HaproxyCase.Answers("redis", "speaks something else", "HTTP/1.1 400 Bad Request\r\n\r\n").ButWe("L7RSP", 0, AtOnce),

        HaproxyCase.Answers("pgsql", "wants a password", "R\0\0\0\x0c\0\0\0\x05salt"),
        HaproxyCase.Answers("pgsql", "starts up", "E\0\0\0\x1eSFATAL\0C57P03\0Mstarting\0\0\0").ButWe("L7STS", 0, Means),
        HaproxyCase.Answers("pgsql", "speaks something else", "HTTP/1.1 400 Bad Request\r\n\r\n").ButWe("L7RSP", 0, Means),

        HaproxyCase.Greets("mysql", "is well", Packet(0, MySqlGreeting)),
        HaproxyCase.Greets("mysql", "is full", Packet(0, "\xff\x10\x04Too many connections")),
        HaproxyCase.Greets("mysql", "speaks something else", Garbage).ButWe("L7RSP", 0, AtOnce),
        HaproxyCase.Talks("mysql user", "is well", Packet(0, MySqlGreeting), Packet(2, "\0\0\0\x02\0\0\0")),
        HaproxyCase.Talks("mysql user", "knows no such user", Packet(0, MySqlGreeting), Packet(2, "\xff\x15\x04#28000Access denied for user")),
        HaproxyCase.Greets("mysql user", "is full", Packet(0, "\xff\x10\x04Too many connections")),
        HaproxyCase.Greets("mysql user", "speaks something else", Garbage).ButWe("L7RSP", 0, AtOnce),
    ];

    private static IEnumerable<HaproxyCase> Talkers() =>
    [
        HaproxyCase.Talks("smtp", "is well", "220 mail ESMTP\r\n", "250 mail\r\n", "221 bye\r\n").ButWe("L7OK", 250, ByQuit),
        HaproxyCase.Talks("smtp", "answers in several lines", "220-mail\r\n220 ESMTP\r\n", "250-mail\r\n250-SIZE 1\r\n250 HELP\r\n", "221 bye\r\n").ButWe("L7OK", 250, Lines),
        HaproxyCase.Talks("smtp", "does not serve us", "554 no\r\n", "221 bye\r\n"),
        HaproxyCase.Talks("smtp", "is busy", "421 later\r\n"),
        HaproxyCase.Talks("smtp", "refuses our name", "220 mail\r\n", "550 who?\r\n", "221 bye\r\n").ButWe("L7STS", 550, AtOnce),
        HaproxyCase.Talks("smtp", "refuses our name and closes", "220 mail\r\n", "550 who?\r\n").AndCloses(),
        HaproxyCase.Greets("smtp", "speaks something else", Garbage),

        HaproxyCase.Answers("tcp-check", "is well", "+PONG\r\n", "+OK\r\n"),
        HaproxyCase.Answers("tcp-check", "says something else", "-ERR\r\n", "+OK\r\n"),
        HaproxyCase.Answers("tcp-check", "says something else then", "+PONG\r\n", "-OK\r\n"),
        HaproxyCase.Answers("tcp-check", "is silent then", "+PONG\r\n", ""),
    ];

    // "Protocol::HandshakeV10" of the MySQL internals manual, as MariaDB 10.11 sends it.
    private static string MySqlGreeting =>
        "\x0a" + "5.5.5-10.11.6-MariaDB\0" + "\x2a\0\0\0" + "abcdefgh\0" + "\xfe\xf7" + "\x2d" + "\x02\0" + "\xbf\x81" + "\x15" + new string('\0', 10) + "ijklmnopqrst\0" + "mysql_native_password\0";

    private static string Packet(byte number, string body) => $"{(char)(body.Length & 255)}{(char)(body.Length >> 8)}\0{(char)number}{body}";
}
