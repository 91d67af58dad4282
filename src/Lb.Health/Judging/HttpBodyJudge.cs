using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Lb.Health;

/// <summary>Judges a body while it arrives: texts are looked for at once, regular expressions and the digest at its end. Not thread-safe.</summary>
internal sealed class HttpBodyJudge
{
    private readonly HttpPlan _plan;
    private readonly (byte[] Text, bool Not)[] _texts;
    private readonly bool[] _found;
    private readonly bool _needsEnd;
    private readonly int _longest;
    private int _searched;

    public HttpBodyJudge(HttpPlan plan)
    {
        _plan = plan;
        IEnumerable<(byte[], bool)> first = plan.Request.ExpectBody is { } text ? [(Encoding.UTF8.GetBytes(text), false)] : [];
        _texts = [.. first, .. plan.Conditions.Where(static c => c.Text is not null).Select(static c => (c.Text!, c.Options.Not))];
        _found = new bool[_texts.Length];
        _longest = _texts.Select(static t => t.Text.Length).DefaultIfEmpty(1).Max();
        _needsEnd = plan.Request.Digest is not null || plan.Conditions.Any(static c => c.Options.BodyRegex is not null) || _texts.Any(static t => t.Not);
    }

    /// <summary>Looks at what has come so far.</summary>
    public Expectation Look(ReadOnlySpan<byte> body, out string fault)
    {
        fault = "";
        bool all = true;
        for (int i = 0; i < _texts.Length; i++)
        {
            _found[i] = _found[i] || body[_searched..].IndexOf(_texts[i].Text) >= 0;
            if (_found[i] && _texts[i].Not)
            {
                fault = "unwanted text is in the body";
                return Expectation.Failed;
            }

            all &= _found[i];
        }

        // A text may begin in what has come and end in what has not.
        _searched = Math.Max(0, body.Length - _longest + 1);
        return all && !_needsEnd ? Expectation.Met : Expectation.Open;
    }

    /// <summary>Judges at the end, after the last <see cref="Look"/>.</summary>
    /// <param name="body">All of it.</param>
    /// <param name="isWhole">False when there is more of it that will not be read.</param>
    /// <returns>What is wrong, or null.</returns>
    [SuppressMessage("Security", "CA5351:Do not use broken cryptographic algorithms", Justification = "keepalived's digest; it protects nothing")]
    public string? Judge(ReadOnlySpan<byte> body, bool isWhole)
    {
        string where = isWhole ? "in the body" : "in the first 1 MiB of the body";
        for (int i = 0; i < _texts.Length; i++)
        {
            if (!_found[i] && !_texts[i].Not) return $"expected text is not {where}";
        }

        foreach (HttpCondition condition in _plan.Conditions.Where(static c => c.Options.BodyRegex is not null))
        {
            if (condition.Regex!.IsMatch(Encoding.UTF8.GetString(body)) != condition.Options.Not) continue;
            return condition.Options.Not ? "unwanted expression matches the body" : $"expected expression matches nothing {where}";
        }

        if (_plan.Request.Digest is not { } digest) return null;
        if (!isWhole) return "no digest: the body has more than 1 MiB";
        string actual = Convert.ToHexStringLower(MD5.HashData(body));
        return actual.Equals(digest, StringComparison.OrdinalIgnoreCase) ? null : $"digest is {actual}";
    }
}
