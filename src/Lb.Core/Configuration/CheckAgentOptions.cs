namespace Lb;

/// <content>Keys of the check that asks an agent.</content>
public sealed partial class CheckOptions
{
    /// <summary><c>agent</c>: text sent to the agent, which may have to know who asks; <c>\n</c>, <c>\r</c>, <c>\t</c> and <c>\\</c> are understood (HAProxy <c>agent-send</c>). Default: nothing.</summary>
    public string? AgentSend { get; set; }
}
